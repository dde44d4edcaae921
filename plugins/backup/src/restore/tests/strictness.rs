//! That the double is as strict as Postman says it is.

use super::*;

type Change = fn(&mut double::Request);

fn request(method: &str, path: &str, body: Option<Value>) -> double::Request {
    let mut request =
        double::Request { method: method.to_owned(), path: path.to_owned(), ..Default::default() };
    for (name, value) in [("x-api-key", KEY), ("accept", "application/json")] {
        request.headers.insert(name.to_owned(), value.to_owned());
    }
    if let Some(body) = body {
        request.headers.insert("content-type".to_owned(), "application/json".to_owned());
        request.body = body.to_string().into();
    }
    request
}

#[track_caller]
fn check(request: &double::Request, status: u16, name: &str) {
    let postman = double::Postman::new(Habits { bytes_max: 5000, ..Habits::default() });
    postman.put(ID, "team", &shop("New"));
    let reply = postman.answer(request, Duration::ZERO).unwrap();
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((reply.status, body["error"]["name"].as_str().unwrap_or_default()), (status, name), "{body}");
}

fn without_ids() -> Value {
    let mut collection = shop("List");
    crate::collection::without_ids(&mut collection);
    collection
}

#[test]
fn a_collection_is_taken_in_its_one_shape_and_without_ids() {
    let post = |collection: Value| request("POST", "/collections", Some(json!({ "collection": collection })));
    check(&post(without_ids()), 200, "");
    check(&post(shop("List")), 400, "malformedRequestError");
    let wrong: [(&str, Value); 12] = [
        ("/info/schema", json!(SCHEMA.replace("v2.1.0", "v2.0.0"))),
        ("/info/name", json!("")),
        ("/info/_postman_id", json!(ID)),
        ("/item", json!({})),
        ("/auth", json!({ "type": "bearer", "bearer": { "token": "x" } })),
        ("/auth", json!({ "type": "magic" })),
        ("/variable", json!([{ "value": "neither key nor id" }])),
        ("/variable", json!([{ "id": "name", "value": "x" }])),
        ("/item/0/id", json!("a")),
        ("/item/0/item/0/response/0/id", json!("a")),
        ("/item/0/item/0/event", json!({ "listen": "test" })),
        ("/item/0/item/0/request/header", json!([{ "key": "no value" }])),
    ];
    for (pointer, value) in wrong {
        let mut collection = without_ids();
        let (owner, key) = pointer.rsplit_once('/').unwrap();
        collection.pointer_mut(owner).unwrap()[key] = value;
        check(&post(collection), 400, "malformedRequestError");
    }
    check(&request("POST", "/collections", Some(without_ids())), 400, "malformedRequestError");
}

#[test]
fn only_the_own_ids_replace_a_collection() {
    let put = |uid: &str, collection: Value| {
        request("PUT", &format!("/collections/{uid}"), Some(json!({ "collection": collection })))
    };
    let uid = format!("12345-{ID}");
    check(&put(&uid, shop("Old")), 200, "");
    check(&put(&uid, without_ids()), 200, "");
    let mut foreign = shop("Old");
    foreign["item"][0]["id"] = json!("f2");
    check(&put(&uid, foreign), 400, "malformedRequestError");
    check(&put(ID, shop("Old")), 400, "invalidParamsError");
    check(&put(&format!("7-{ID}"), without_ids()), 404, "instanceNotFoundError");
}

#[test]
fn calls_are_as_the_reference_has_them() {
    let list = || request("GET", "/collections", None);
    let post = || request("POST", "/collections", Some(json!({ "collection": without_ids() })));
    let changes: [(double::Request, Change, u16, &str); 9] = [
        (list(), |it| drop(it.headers.remove("x-api-key")), 401, "AuthenticationError"),
        (list(), |it| drop(it.headers.remove("accept")), 406, "notAcceptable"),
        (
            list(),
            |it| drop(it.headers.insert("authorization".into(), "x".into())),
            400,
            "malformedRequestError",
        ),
        (
            list(),
            |it| drop(it.headers.insert("prefer".into(), "respond-async".into())),
            400,
            "malformedRequestError",
        ),
        (list(), |it| it.body = b"{}".to_vec(), 400, "malformedRequestError"),
        (
            list(),
            |it| it.query.extend([("name".into(), "x".into()), ("limit".into(), "1".into())]),
            400,
            "invalidParamsError",
        ),
        (
            post(),
            |it| drop(it.headers.insert("content-type".into(), "text/plain".into())),
            415,
            "unsupportedMediaType",
        ),
        (post(), |it| it.body.resize(5001, b' '), 413, "requestEntityTooLargeError"),
        (
            post(),
            |it| drop(it.query.insert("workspace".into(), "other".into())),
            404,
            "instanceNotFoundError",
        ),
    ];
    for (mut request, change, status, name) in changes {
        change(&mut request);
        check(&request, status, name);
    }
    check(&list(), 200, "");
    check(&request("DELETE", "/collections", None), 404, "notFound");
}

#[test]
fn three_hundred_requests_a_minute_are_answered() {
    let postman = double::Postman::new(Habits::default());
    let ask = |seconds| {
        let reply =
            postman.answer(&request("GET", "/collections", None), Duration::from_secs(seconds)).unwrap();
        let wait = reply.headers.into_iter().find(|(name, _)| name == "RetryAfter");
        (reply.status, wait.map(|(_, seconds)| seconds))
    };
    assert!((0..300).all(|_| ask(10) == (200, None)));
    assert_eq!(ask(40), (429, Some("30".to_owned())));
    assert_eq!(ask(70), (200, None));
}
