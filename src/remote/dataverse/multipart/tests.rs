use super::*;
use proptest::prelude::*;

fn answer(parts: &[(u16, &str)]) -> Bytes {
    let mut text = String::new();
    for (status, body) in parts {
        text.push_str(
            "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n",
        );
        let head = format!("HTTP/1.1 {status} Whatever\r\nETag: W/\"7\"\r\nOData-Version: 4.0");
        text.extend([&head, "\r\n\r\n", body, "\r\n"]);
    }
    Bytes::from(text + "--b--\r\n")
}

#[test]
fn parts_come_back_in_order_with_status_headers_and_body() {
    let parts = decode(
        "b",
        &answer(&[(204, ""), (412, r#"{"error":{"code":"x"}}"#)]),
    )
    .unwrap();
    assert_eq!(parts.len(), 2);
    assert_eq!((parts[0].status.as_u16(), parts[0].body.len()), (204, 0));
    assert_eq!(parts[1].status.as_u16(), 412);
    assert_eq!(parts[1].headers["etag"], "W/\"7\"");
    assert_eq!(parts[1].body, r#"{"error":{"code":"x"}}"#);
}

#[test]
fn a_cut_off_answer_is_noticed() {
    let whole = answer(&[(204, ""), (200, "{}")]);
    let cut = whole.slice(..whole.len() - 10);
    assert_eq!(decode("b", &cut).unwrap_err(), MultipartError::CutOff);
}

/// A changeset as it is answered: its parts in clothes of their own.
fn changeset(statuses: &[u16]) -> String {
    let mut text = "--b\r\nContent-Type: multipart/mixed; boundary=inner\r\n\r\n".to_owned();
    for status in statuses {
        let part = "--inner\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\n";
        text.extend([part, &format!("HTTP/1.1 {status} X\r\n\r\n\r\n")]);
    }
    text + "--inner--\r\n"
}

#[test]
fn a_changeset_has_one_answer_and_that_is_its_failure_where_it_failed() {
    for (statuses, expected) in [(&[204, 204][..], 204), (&[204, 412], 412), (&[404], 404)] {
        let text = changeset(statuses) + std::str::from_utf8(&answer(&[(200, "{}")])).unwrap();
        let parts = decode("b", &Bytes::from(text)).unwrap();
        let statuses: Vec<_> = parts.iter().map(|part| part.status.as_u16()).collect();
        assert_eq!(statuses, [expected, 200]);
    }
    let empty = changeset(&[]) + "--b--\r\n";
    assert!(decode("b", &Bytes::from(empty)).is_err());
}

#[test]
fn operations_are_written_with_crlf_and_their_condition() {
    let operation = Operation::patch(
        "adx_invitations(1)".to_owned(),
        (http::header::IF_MATCH, "W/\"1\"".to_owned()),
        serde_json::json!({"statuscode": 2}),
    );
    let read = Step::get("contacts?$select=fullname".to_owned());
    let role = Operation::post("a(1)/b/$ref".to_owned(), serde_json::json!({}));
    let together = Step::of(vec![operation.clone(), role]);
    let steps = [Step::of(vec![operation]), read, together];
    let text = String::from_utf8(encode("b", "/api/data/v9.2/", &steps).to_vec()).unwrap();
    insta::assert_snapshot!(text.replace("\r\n", "␍\n"), @r#"
    --b␍
    Content-Type: application/http␍
    Content-Transfer-Encoding: binary␍
    ␍
    PATCH /api/data/v9.2/adx_invitations(1) HTTP/1.1␍
    Accept: application/json␍
    if-match: W/"1"␍
    Content-Type: application/json; type=entry␍
    ␍
    {"statuscode":2}␍
    --b␍
    Content-Type: application/http␍
    Content-Transfer-Encoding: binary␍
    ␍
    GET /api/data/v9.2/contacts?$select=fullname HTTP/1.1␍
    Accept: application/json␍
    ␍
    --b␍
    Content-Type: multipart/mixed; boundary="changeset_2"␍
    ␍
    --changeset_2␍
    Content-Type: application/http␍
    Content-Transfer-Encoding: binary␍
    Content-ID: 1␍
    ␍
    PATCH /api/data/v9.2/adx_invitations(1) HTTP/1.1␍
    Accept: application/json␍
    if-match: W/"1"␍
    Content-Type: application/json; type=entry␍
    ␍
    {"statuscode":2}␍
    --changeset_2␍
    Content-Type: application/http␍
    Content-Transfer-Encoding: binary␍
    Content-ID: 2␍
    ␍
    POST /api/data/v9.2/a(1)/b/$ref HTTP/1.1␍
    Accept: application/json␍
    Content-Type: application/json; type=entry␍
    ␍
    {}␍
    --changeset_2--␍
    --b--␍
    "#);
}

proptest! {
    #[test]
    fn reading_never_panics(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode("b", &Bytes::from(body));
    }

    #[test]
    fn mangled_answers_never_panic(cut in 0_usize..300, flip in 0_usize..300, byte in any::<u8>()) {
        let mut bytes = answer(&[(200, r#"{"value":[]}"#), (412, "{}")]).to_vec();
        bytes.truncate(cut.max(1));
        let position = flip % bytes.len();
        bytes[position] = byte;
        let _ = decode("b", &Bytes::from(bytes));
    }

    #[test]
    fn any_bodies_round_trip(bodies in proptest::collection::vec("[ -~]{0,60}", 1..8)) {
        let parts: Vec<_> = bodies.iter().map(|body| (200, body.as_str())).collect();
        let read = decode("b", &answer(&parts)).unwrap();
        let read: Vec<_> = read.iter().map(|part| std::str::from_utf8(&part.body).unwrap()).collect();
        prop_assert_eq!(read, bodies);
    }
}
