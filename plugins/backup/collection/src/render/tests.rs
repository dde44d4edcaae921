use serde_json::{Value, json};

use super::{Line, lines};
use crate::{
    Diff, How, Tree, What, diff,
    testing::{BACKUP, HALF, with_other_ids},
};

/// The small backup, and the same after a busy week in which Postman made every id anew.
fn week() -> [String; 2] {
    let before = String::from_utf8(BACKUP.to_vec()).unwrap().replace(HALF, "");
    let mut after: Value = serde_json::from_str(&before).unwrap();
    let secret = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
    after["info"]["name"] = json!("Checkout `v2` <b>");
    after["info"]["description"] = json!("# Orders\n\nEverything about *orders* and\n```\nmore\n```");
    let orders = &mut after["item"][0]["item"];
    orders[0]["request"]["method"] = json!("POST");
    orders[0]["request"]["header"] =
        json!([{ "key": "Accept", "value": "text/csv" }, { "key": "X-Trace", "value": "1" }]);
    orders[0]["event"][0]["script"]["exec"][1] = json!("\tpm.response.to.have.status(201);");
    orders[0]["response"][0]["body"] = json!("{}");
    orders[1]["request"]["auth"]["oauth2"]["accessToken"] = json!("mE2Qv8xTzL0aBc93KdPw");
    orders[1]["request"]["body"]["raw"] = json!("{\n  \"sku\": \"B-2\",\n  \"count\": 2\n}");
    let moved = orders.as_array_mut().unwrap().remove(1);
    after["item"][1]["item"][0]["item"].as_array_mut().unwrap().insert(0, moved);
    after["item"][1]["name"] = json!("Inside");
    after["item"].as_array_mut().unwrap().swap(1, 2);
    after["item"].as_array_mut().unwrap().push(json!({
        "name": "New [folder](http://example.com)",
        "item": [{ "name": "Probe\u{202e}", "request": { "method": "GET", "url": "{{base_url}}" } }]
    }));
    after["variable"][0]["value"] = json!("https://example.org");
    after["variable"].as_array_mut().unwrap().push(json!({ "key": "api_token", "value": secret }));
    after["variable"].as_array_mut().unwrap().remove(1);
    [before, with_other_ids(after).to_string()]
}

fn difference() -> Diff {
    let [before, after] = week();
    diff(&Tree::parse(before.as_bytes()).unwrap(), &Tree::parse(after.as_bytes()).unwrap())
}

#[test]
fn in_one_line() {
    insta::assert_snapshot!(difference().summary(), @"collection renamed, collection changed, 1 folder added, 1 folder renamed, 1 request added, 1 request moved, 1 request reordered, 2 requests changed, 1 example changed, 1 script changed, 1 authorization changed, 1 variable added, 1 variable removed, 1 variable changed");
}

#[test]
fn as_text() {
    insta::assert_snapshot!(difference().text(), @r##"
    ~ collection, was Checkout
    ~ collection
        description:
          - Everything about *orders*.
          + Everything about *orders* and
          + ```
          + more
          + ```
    ~ request Orders › List orders
        method: GET → POST
        header:
          - Accept: application/json
          + Accept: text/csv
          + X-Trace: 1
    ~ script Orders › List orders › test
        script.exec:
          -  pm.response.to.have.status(200);
          +  pm.response.to.have.status(201);
    ~ example Orders › List orders › Two orders
        body: {"orders": [{"id": 1}, {"id": 2}], "odd": ""} → {}
    > request 健康检查, within its list
    ~ folder Inside, was Nested
    > request Inside › Deeper › Create order, from Orders
    ~ authorization Inside › Deeper › Create order
        auth.oauth2.accessToken: {{token}} → [redacted]
    ~ request Inside › Deeper › Create order
        body.raw:
          -   "sku": "A-1",
          +   "sku": "B-2",
    + folder New [folder](http://example.com)
    + request New [folder](http://example.com) › Probe�
    ~ variable base_url
        value: https://example.com → https://example.org
    + variable api_token
    - variable page-size
    "##);
}

#[test]
fn as_markdown() {
    insta::assert_snapshot!(difference().markdown(), @r##"
    - Renamed collection, was Checkout
    - Changed collection
      ````diff
        description:
      - Everything about *orders*.
      + Everything about *orders* and
      + ```
      + more
      + ```
      ````
    - Changed request **Orders › List orders**
      ```diff
      - method: GET
      + method: POST
        header:
      - Accept: application/json
      + Accept: text/csv
      + X-Trace: 1
      ```
    - Changed script **Orders › List orders › test**
      ```diff
        script.exec:
      -  pm.response.to.have.status(200);
      +  pm.response.to.have.status(201);
      ```
    - Changed example **Orders › List orders › Two orders**
      ```diff
      - body: {"orders": [{"id": 1}, {"id": 2}], "odd": ""}
      + body: {}
      ```
    - Reordered request **健康检查**
    - Renamed folder **Inside**, was Nested
    - Moved request **Inside › Deeper › Create order** from Orders
    - Changed authorization **Inside › Deeper › Create order**
      ```diff
      - auth.oauth2.accessToken: {{token}}
      + auth.oauth2.accessToken: [redacted]
      ```
    - Changed request **Inside › Deeper › Create order**
      ```diff
        body.raw:
      -   "sku": "A-1",
      +   "sku": "B-2",
      ```
    - Added folder **New \[folder\]\(http\://example.com\)**
    - Added request **New \[folder\]\(http\://example.com\) › Probe�**
    - Changed variable **base\_url**
      ```diff
      - value: https://example.com
      + value: https://example.org
      ```
    - Added variable **api\_token**
    - Removed variable **page-size**
    "##);
}

#[test]
fn as_json() {
    let mut diff = difference();
    diff.changes
        .retain(|change| matches!(change.what, What::Auth | What::Variable) || change.how == How::Moved);
    insta::assert_snapshot!(serde_json::to_string_pretty(&diff.without_secrets()).unwrap(), @r##"
    {
      "changes": [
        {
          "how": "moved",
          "what": "request",
          "place": [
            "Inside",
            "Deeper",
            "Create order"
          ],
          "was": [
            "Orders",
            "Create order"
          ],
          "from": "/item/0/item/1",
          "to": "/item/2/item/0/item/0"
        },
        {
          "how": "changed",
          "what": "auth",
          "place": [
            "Inside",
            "Deeper",
            "Create order"
          ],
          "from": "/item/0/item/1",
          "fields": [
            {
              "path": "/request/auth/oauth2/accessToken",
              "before": "{{token}}",
              "after": "[redacted]"
            }
          ]
        },
        {
          "how": "changed",
          "what": "variable",
          "place": [
            "base_url"
          ],
          "from": "/variable/0",
          "fields": [
            {
              "path": "/value",
              "before": "https://example.com",
              "after": "https://example.org"
            }
          ]
        },
        {
          "how": "added",
          "what": "variable",
          "place": [
            "api_token"
          ],
          "to": "/variable/1",
          "value": {"key":"api_token","value":"[redacted]"}
        },
        {
          "how": "removed",
          "what": "variable",
          "place": [
            "page-size"
          ],
          "from": "/variable/1"
        }
      ]
    }
    "##);
}

#[test]
fn secrets_are_in_none_of_them() {
    let diff = difference();
    let whole = serde_json::to_string(&diff).unwrap();
    let shown = [diff.text(), diff.markdown(), serde_json::to_string(&diff.without_secrets()).unwrap()];
    for secret in ["ghp_0123456789abcdefghijklmnopqrstuvwxyz", "mE2Qv8xTzL0aBc93KdPw"] {
        assert!(whole.contains(secret), "what is applied has it");
        shown.iter().for_each(|shown| assert!(!shown.contains(secret), "{shown}"));
    }
}

#[track_caller]
fn check_text(before: &Value, after: &Value, expected: &str) {
    let [before, after] = [before, after].map(|value| json!({ "variable": [value] }).to_string());
    let diff = diff(&Tree::parse(before.as_bytes()).unwrap(), &Tree::parse(after.as_bytes()).unwrap());
    assert_eq!(diff.text(), expected);
}

#[test]
fn values_are_shown_as_far_as_that_helps() {
    let variable = |value: Value| json!({ "key": "token", "value": value });
    check_text(
        &variable(json!("q8Zt3Lw0Vb7Xn5Rk2Jd9")),
        &variable(json!("z9Zt3Lw0Vb7Xn5Rk2Jd9")),
        "~ variable token\n    value: another secret\n",
    );
    let secret = |value: &str| json!({ "key": "pin", "type": "secret", "value": value });
    check_text(&secret("1"), &secret("2"), "~ variable pin\n    value: another secret\n");
    check_text(&variable(json!(null)), &variable(json!("")), "~ variable token\n    value: null → \"\"\n");
    check_text(
        &json!({ "key": "a" }),
        &json!({ "key": "a", "value": "b\u{1b}[0m" }),
        "~ variable a\n    value:\n      + b\u{fffd}[0m\n",
    );
    let long = "x".repeat(200);
    let shown = format!("~ variable a\n    value: 1 → {}…\n", "x".repeat(160));
    check_text(&json!({ "key": "a", "value": 1 }), &json!({ "key": "a", "value": long }), &shown);
    let lines = (0..50).map(|line| line.to_string()).collect::<Vec<_>>().join("\n");
    let listed: String = (0..40).map(|line| format!("      + {line}\n")).collect();
    let shown = format!("~ variable a\n    value:\n{listed}      … 10 more\n");
    check_text(&json!({ "key": "a" }), &json!({ "key": "a", "value": lines }), &shown);
}

#[test]
fn lines_are_compared() {
    let lines = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let check = |before: &str, after: &str, expected: &str| {
        let shown = lines::differences(&lines(before), &lines(after)).into_iter().map(|line| match line {
            Line::Gone(line) => format!("-{line}"),
            Line::Come(line) => format!("+{line}"),
            Line::Left(_) => unreachable!("nothing is left out here"),
        });
        assert_eq!(shown.collect::<Vec<_>>().join(" "), expected);
    };
    check("a b c", "a b c", "");
    check("a b c", "a x c", "-b +x");
    check("a b c d", "b d e", "-a -c +e");
    check("", "a", "+a");
    check("a", "", "-a");
}

/// What the documents show is a difference.
#[test]
fn the_documents_tell_the_truth() {
    let document = include_str!("../../../../../docs/backups.md");
    let (_, block) = document.split_once("```json\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let diff: Diff = serde_json::from_str(block).unwrap();
    let summary = diff.summary();
    assert!(document.contains(&format!("`{summary}`")), "{summary}");
    let [shown, ours] = [block, &serde_json::to_string(&diff).unwrap()]
        .map(|text| serde_json::from_str::<Value>(text).unwrap());
    assert_eq!(shown, ours);
}
