//! What a person may send, and what happens to it.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{CASES, Paper, case_of};
use crate::support::TestApp;

both_engines! {
    async fn a_passport_with_a_clean_zone_goes_to_review(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let case = person.post(CASES, Paper::of("A1234567B").request()).await.expect(201);
        assert_eq!(case["account_id"], person.id);
        assert_eq!(case["method"], "document_review");
        assert_eq!(case["status"], "in_review");
        assert_eq!(case["level"], "L0");
        assert_eq!(case["expires_at"], Value::Null);
        assert_eq!(case["document_number_last3"], "67B");
        assert!(case.get("flags").is_none() && case.get("evidence").is_none());
        let path = format!("{CASES}/{}", case["id"].as_str().unwrap());
        assert_eq!(person.get(&path).await.expect(200), case);
    }

    async fn livestreamers_and_shops_are_verified_too_and_staff_are_not(app: TestApp) {
        let streamer = app.livestreamer("s").await;
        streamer.post(CASES, Paper::of("A1").request()).await.expect(201);
        app.shop("t").await.post(CASES, Paper::of("A2").request()).await.expect(201);
        for staff in [app.admin().await, app.officer("o").await, app.auditor().await, app.finance().await] {
            staff.post(CASES, Paper::of("A3").request()).await.problem(403, "role-not-allowed");
        }
        app.anon().post(CASES, Paper::of("A3").request()).await.problem(401, "unauthenticated");
    }

    async fn a_vietnamese_national_is_told_which_methods_are_needed(app: TestApp) {
        let person = app.affiliate("lan").await;
        let declared = Paper::of("B1234567").of_state("VNM", "VNM");
        let problem = person.post(CASES, declared.request()).await.problem(422, "identity-method-not-allowed");
        assert_eq!(problem["methods"], json!(["chip", "oidc"]));
        // The zone says it, although the person says otherwise.
        let mut request = declared.request();
        request["nationality"] = json!("FRA");
        let problem = person.post(CASES, request).await.problem(422, "identity-method-not-allowed");
        assert_eq!(problem["methods"], json!(["chip", "oidc"]));
        // Even without a document the answer is the same.
        let bare = json!({ "method": "document_review", "nationality": "VNM" });
        person.post(CASES, bare).await.problem(422, "identity-method-not-allowed");
    }

    async fn chip_and_provider_are_not_available_yet(app: TestApp) {
        let person = app.affiliate("lan").await;
        for method in ["chip", "oidc"] {
            let consent = json!({ "text_version": "1", "accepted": true });
            let request = json!({ "method": method, "nationality": "VNM", "consent": consent });
            person.post(CASES, request).await.problem(422, "identity-method-not-available");
        }
        let request = json!({ "method": "selfie", "nationality": "FRA" });
        person.post(CASES, request).await.problem(422, "request-invalid");
    }

    async fn without_consent_to_a_listed_text_nothing_is_kept(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let before = app.row_counts().await;
        for consent in [
            Value::Null,
            json!({ "text_version": "1", "accepted": false }),
            json!({ "text_version": "2", "accepted": true }),
            json!({ "text_version": "01", "accepted": true }),
        ] {
            let mut request = Paper::of("C1").request();
            request["consent"] = consent;
            person.post(CASES, request).await.problem(422, "identity-consent-missing");
        }
        let mut silent = Paper::of("C1").request();
        silent.as_object_mut().unwrap().remove("consent");
        person.post(CASES, silent).await.problem(422, "identity-consent-missing");
        assert_eq!(app.row_counts().await, before);
    }

    async fn a_review_needs_its_document(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let mut request = Paper::of("C2").request();
        request["document"] = Value::Null;
        let problem = person.post(CASES, request).await.problem(422, "request-invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/document");
    }

    async fn every_check_digit_is_asked(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let clean = Paper::of("D1234567").request();
        for (column, what) in [(9, "number"), (19, "birth"), (27, "expiry"), (42, "personal"), (43, "line")] {
            let mut request = clean.clone();
            let mut second: Vec<char> = clean["document"]["mrz"][1].as_str().unwrap().chars().collect();
            let digit = second[column].to_digit(10).unwrap();
            second[column] = char::from_digit((digit + 1) % 10, 10).unwrap();
            request["document"]["mrz"][1] = json!(second.iter().collect::<String>());
            let problem = person.post(CASES, request).await.problem(422, "identity-mrz-invalid");
            let faults = problem["errors"].to_string();
            assert!(faults.contains("/document/mrz/1") && faults.contains(what), "{column}: {faults}");
        }
        person.post(CASES, clean).await.expect(201);
    }

    async fn a_zone_that_contradicts_the_document_is_refused(app: TestApp) {
        let person = app.affiliate("freyja").await;
        for (field, value) in [
            ("number", "D1234568"),
            ("date_of_birth", "1991-07-24"),
            ("date_of_birth", "1891-07-23"),
            ("expires_on", "2033-02-12"),
            ("expires_on", "2133-02-11"),
            ("issuing_state", "NOR"),
        ] {
            let mut request = Paper::of("D1234567").request();
            request["document"][field] = json!(value);
            let problem = person.post(CASES, request).await.problem(422, "identity-mrz-invalid");
            assert_eq!(problem["errors"][0]["pointer"], format!("/document/{field}"));
            assert!(!problem.to_string().contains("D123456"), "the answer repeats no value");
        }
        // Blanks and hyphens are how people type numbers.
        let mut request = Paper::of("D1234567").request();
        request["document"]["number"] = json!("d123-4567");
        person.post(CASES, request).await.expect(201);
    }

    async fn germany_has_two_spellings_and_is_one_state(app: TestApp) {
        let person = app.affiliate("greta").await;
        let mut request = Paper::of("C01X00T47").of_state("D", "D").request();
        request["nationality"] = json!("DEU");
        request["document"]["issuing_state"] = json!("DEU");
        person.post(CASES, request).await.expect(201);
    }

    async fn hostile_zones_are_a_clear_problem(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let [first, second] = Paper::of("E1").zone();
        for (mrz, code) in [
            (json!([first, second[..43]]), "identity-mrz-invalid"),
            (json!([second, first]), "identity-mrz-invalid"),
            (json!([first.to_lowercase(), second]), "identity-mrz-invalid"),
            (json!([first, "é".repeat(44)]), "identity-mrz-invalid"),
            (json!([first, "<".repeat(44)]), "identity-mrz-invalid"),
            (json!(["P".repeat(44), "0".repeat(44)]), "identity-mrz-invalid"),
            (json!([first, "𝟘".repeat(44)]), "identity-mrz-invalid"),
            (json!([first, "x".repeat(65)]), "request-invalid"),
            (json!([first, "\u{0}"]), "request-invalid"),
            (json!([first, ""]), "request-invalid"),
            (json!([first]), "request-invalid"),
            (json!([first, second, second]), "request-invalid"),
            (json!(first), "request-invalid"),
        ] {
            let mut request = Paper::of("E1").request();
            request["document"]["mrz"] = mrz;
            person.post(CASES, request).await.problem(422, code);
        }
    }

    async fn fields_are_read_strictly(app: TestApp) {
        let person = app.affiliate("freyja").await;
        for (pointer, value) in [
            ("/nationality", json!("fra")),
            ("/nationality", json!("FR")),
            ("/document/number", json!("A/1")),
            ("/document/number", json!("A".repeat(23))),
            ("/document/date_of_birth", json!("1991-02-30")),
            ("/document/date_of_birth", json!("+91991-02-03")),
            ("/document/full_name", json!(" ")),
            ("/document/type", json!("driving_licence")),
            ("/consent/text_version", json!("1".repeat(17))),
        ] {
            let mut request = Paper::of("E2").request();
            *request.pointer_mut(pointer).unwrap() = value;
            let problem = person.post(CASES, request).await.problem(422, "request-invalid");
            assert_eq!(problem["errors"][0]["pointer"], pointer);
        }
        let mut photo = Paper::of("E2").request();
        photo["document"]["photo"] = json!("aGk=");
        person.post(CASES, photo).await.problem(422, "request-invalid");
    }

    async fn a_passport_lasts_six_calendar_months_from_the_legal_day_of_review(app: TestApp) {
        // 10:00 on 24 November in Vietnam.
        let (early, late) = (app.affiliate("early").await, app.affiliate("late").await);
        let short = Paper::of("F1").expiring("2027-05-23");
        let problem = early.post(CASES, short.request()).await.problem(422, "identity-document-expiring");
        assert_eq!(problem["duty"], "PL-09");
        assert_eq!(problem["errors"][0]["pointer"], "/document/expires_on");
        let enough = Paper::of("F2").expiring("2027-05-24");
        early.post(CASES, enough.request()).await.expect(201);
        // Midnight in Vietnam is 17:00 in UTC.
        app.clock.advance(TimeDelta::hours(14) - TimeDelta::seconds(1));
        let late = app.sign_in_again(&late).await;
        late.post(CASES, enough.request()).await.expect(201);
        app.clock.advance(TimeDelta::seconds(1));
        let later = app.affiliate("later").await;
        later.post(CASES, enough.request()).await.problem(422, "identity-document-expiring");
        let ended = Paper::of("F3").expiring("2020-05-24");
        later.post(CASES, ended.request()).await.problem(422, "identity-document-expiring");
    }

    async fn a_person_is_old_enough_from_the_birthday_in_vietnam(app: TestApp) {
        let person = app.affiliate("young").await;
        let tomorrow = Paper::of("G1").born("2008-11-25");
        let problem = person.post(CASES, tomorrow.request()).await.problem(422, "identity-under-age");
        assert_eq!(problem["errors"][0]["pointer"], "/document/date_of_birth");
        app.clock.advance(TimeDelta::hours(14));
        let person = app.sign_in_again(&person).await;
        person.post(CASES, tomorrow.request()).await.expect(201);
        let other = app.affiliate("other").await;
        other.post(CASES, Paper::of("G2").born("2008-11-26").request()).await.problem(422, "identity-under-age");
        other.post(CASES, Paper::of("G2").born("2008-11-25").request()).await.expect(201);
    }

    async fn a_person_has_one_open_case(app: TestApp) {
        let person = app.affiliate("freyja").await;
        case_of(&person, &Paper::of("H1")).await;
        let before = app.row_counts().await;
        person.post(CASES, Paper::of("H2").request()).await.problem(409, "identity-case-open");
        assert_eq!(app.row_counts().await, before);
    }

    async fn the_same_request_under_the_same_key_opens_one_case(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let key = [("idempotency-key", "verify-me")];
        let first = person.post_with(CASES, Paper::of("H3").request(), &key).await.expect(201);
        let again = person.post_with(CASES, Paper::of("H3").request(), &key).await.expect(201);
        assert_eq!(first, again);
    }

    async fn a_document_of_another_account_is_flagged_to_officers_alone(app: TestApp) {
        let (first, second) = (app.affiliate("first").await, app.livestreamer("second").await);
        let paper = Paper::of("J1234567");
        let one = case_of(&first, &paper).await;
        let two = second.post(CASES, paper.request()).await.expect(201);
        assert_eq!(two["status"], "in_review");
        assert!(two.get("flags").is_none());
        let path = format!("{CASES}/{}", two["id"].as_str().unwrap());
        assert!(second.get(&path).await.expect(200).get("flags").is_none());
        let officer = app.officer("o").await;
        let seen = officer.get(&path).await.expect(200);
        assert_eq!(seen["flags"], json!(["document-already-bound"]));
        assert_eq!(seen["evidence"]["also_bound_to"], json!([first.id]));
        // The case that was there before is no less in doubt.
        let seen = officer.get(&format!("{CASES}/{one}")).await.expect(200);
        assert_eq!(seen["flags"], json!(["document-already-bound"]));
        let listed = officer.get(CASES).await.expect(200);
        for row in listed["data"].as_array().unwrap() {
            assert_eq!(row["flags"], json!(["document-already-bound"]));
            assert!(row.get("evidence").is_none());
        }
        // Another state's document of the same number is another document.
        let third = app.shop("third").await;
        let other = case_of(&third, &paper.of_state("NOR", "NOR")).await;
        assert_eq!(officer.get(&format!("{CASES}/{other}")).await.expect(200)["flags"], json!([]));
    }

    async fn names_and_nationalities_that_differ_are_shown_and_not_refused(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let mut request = Paper::of("K1").request();
        request["nationality"] = json!("NOR");
        request["document"]["full_name"] = json!("Another Person");
        let case = person.post(CASES, request).await.expect(201);
        let path = format!("{CASES}/{}", case["id"].as_str().unwrap());
        let seen = app.officer("o").await.get(&path).await.expect(200);
        assert_eq!(seen["flags"], json!(["name-differs", "nationality-differs"]));
        assert_eq!(seen["evidence"]["nationality"], "NOR");
    }

    async fn people_see_their_own_cases_and_staff_see_all(app: TestApp) {
        let (first, second) = (app.affiliate("first").await, app.affiliate("second").await);
        let one = case_of(&first, &Paper::of("L1")).await;
        app.clock.advance(TimeDelta::seconds(1));
        let two = case_of(&second, &Paper::of("L2")).await;
        let own = first.get(CASES).await.expect(200);
        assert_eq!(own["data"].as_array().unwrap().len(), 1);
        assert_eq!(own["data"][0]["id"], one);
        first.get(&format!("{CASES}/{two}")).await.problem(404, "not-found");
        first.get(&format!("{CASES}/idv_nonsense")).await.problem(404, "not-found");
        for staff in [app.officer("o").await, app.admin().await, app.auditor().await] {
            let page = staff.get(&format!("{CASES}?limit=1")).await.expect(200);
            assert_eq!(page["data"][0]["id"], two);
            assert_eq!(page["has_more"], true);
            let cursor = page["next_cursor"].as_str().unwrap();
            let next = staff.get(&format!("{CASES}?limit=1&starting_after={cursor}")).await.expect(200);
            assert_eq!(next["data"][0]["id"], one);
            assert_eq!(next["has_more"], false);
            assert_eq!(staff.get(&format!("{CASES}?status=verified")).await.expect(200)["data"], json!([]));
            assert_eq!(staff.get(&format!("{CASES}/{one}")).await.expect(200)["status"], "in_review");
        }
        app.finance().await.get(CASES).await.problem(403, "role-not-allowed");
        first.get(&format!("{CASES}?status=lost")).await.problem(422, "request-invalid");
    }

    async fn consent_texts_are_public_and_their_digest_is_theirs(app: TestApp) {
        let page = app.anon().get("/v1/consent-texts?purpose=identity").await.expect(200);
        let text = &page["data"][0];
        assert_eq!(text["version"], "1");
        let (vi, en) = (text["vi"].as_str().unwrap(), text["en"].as_str().unwrap());
        let digest = tinvia::kernel::digest::sha256(&[vi.as_bytes(), b"\0", en.as_bytes()]);
        assert_eq!(text["sha256"], tinvia::kernel::digest::hex(&digest));
        app.anon().get("/v1/consent-texts?purpose=marketing").await.problem(422, "request-invalid");
    }
}
