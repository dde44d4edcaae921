use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{Client, Error};

/// Asks a server that answers `answer` whatever it is asked; gives why that failed.
async fn ask(answer: String) -> Error {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(&format!("http://{}", listener.local_addr().unwrap()), "key").unwrap();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut request).await.unwrap();
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
    };
    let (asked, ()) = tokio::join!(client.list_events().send(), serve);
    asked.unwrap_err().into()
}

fn answer(status: &str, content_type: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn problem(status: u16, code: &str) -> String {
    let text = format!(
        r#"{{"type": "about:blank", "title": "t", "status": {status}, "code": "{code}", "detail": "a sentence", "new": 1}}"#
    );
    answer(&format!("{status} t"), "application/problem+json", &text)
}

#[tokio::test]
async fn a_problem_has_its_code_and_says_whether_it_passes() {
    for (status, code, is_temporary) in
        [(404, "not_found", false), (429, "too_many_requests", true), (503, "of_tomorrow", true)]
    {
        let error = ask(problem(status, code)).await;
        assert_eq!((error.code(), error.is_temporary()), (Some(code), is_temporary), "{error:?}");
        assert_eq!(error.to_string(), format!("{code}: a sentence"));
    }
}

#[tokio::test]
async fn what_is_no_answer_of_a_gateway_is_told_from_what_is() {
    let error = ask(answer("502 Bad Gateway", "text/html", "<h1>Bad Gateway</h1>")).await;
    assert!(matches!(&error, Error::Status(status) if *status == 502) && error.is_temporary(), "{error:?}");
    let error = ask(answer("403 Forbidden", "application/json", "{}")).await;
    assert!(matches!(&error, Error::Status(status) if *status == 403) && !error.is_temporary(), "{error:?}");
    let error = ask(answer("200 OK", "application/json", "[]")).await;
    assert!(matches!(&error, Error::Unreadable(_)) && !error.is_temporary(), "{error:?}");
    let error = ask("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n".to_owned()).await;
    assert!(matches!(&error, Error::Transport(_)) && error.is_temporary(), "{error:?}");
    assert_eq!(error.code(), None);
}
