//! Owners as the operator makes, removes and invites them, and who hears of it.

use domain::demo::{AMIRA, BJORN, INGRID, MEI, OLAV};
use domain::owners_by_provider::{self, OwnersChanged, OwnersStay};
use domain::user_records::{self, Closed};
use model::{AccountNumber, EmailAddress, Failure, Mail, Pause};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, TestApp};

const NUMBER: AccountNumber = AccountNumber::from_stored(100_001);
const WHY: &str = "The founder left the company";

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

async fn add(app: &TestApp, to: &str) -> Result<OwnersChanged, OwnersStay> {
    owners_by_provider::add(&app.latchkey, NUMBER, &email(to), WHY).await
}

async fn remove(app: &TestApp, from: &str, to: Option<&str>) -> Result<OwnersChanged, OwnersStay> {
    let to = to.map(email);
    owners_by_provider::remove(&app.latchkey, NUMBER, &email(from), to.as_ref(), WHY).await
}

async fn owners(app: &TestApp) -> Vec<String> {
    let owners = owners_by_provider::list(&app.latchkey, NUMBER).await.unwrap();
    owners.owners.into_iter().map(|owner| owner.email.to_string()).collect()
}

/// The newest mail to this address, in words.
async fn newest_mail(app: &TestApp, to: &str) -> String {
    app.keep_all_mail().await;
    let mails = app.latchkey.store.kept_mails(200).await.unwrap();
    let newest = mails.iter().find(|kept| kept.to.as_str() == to).unwrap();
    let english = model::Language::parse("en");
    let site = app.site();
    let told = app::mails::Told::at(newest.queued_at);
    app::mails::write(&newest.mail, english.as_ref(), told, &site).text.replace('\u{2060}', "")
}

#[apply(on_both!)]
async fn whoever_the_operator_makes_an_owner_is_one_at_the_next_request(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    bjorn.get(&format!("{BAKERY}/users")).await.is(403);
    let changed = add(&app, BJORN.email).await.unwrap();
    assert_eq!((changed.account.as_str(), changed.mails), ("Nordlys Bakeri AS", 3));
    bjorn.get(&format!("{BAKERY}/users")).await.is(200);
    let log = bjorn.get(&format!("{BAKERY}/log")).await;
    log.is(200).says("Owner added by the provider: Bjørn Lie");
    log.says(&format!("Reason: {WHY}"));
    let csv = bjorn.get(&format!("{BAKERY}/log.csv?person=&kind=owner.added_by_provider")).await;
    assert!(csv.is(200).body.contains(WHY), "{}", csv.body);
    for (reader, told) in [
        (BJORN, "Latchkey made you an owner of “Nordlys Bakeri AS”."),
        (INGRID, "Latchkey made Bjørn Lie (bjorn@"),
        (OLAV, "Latchkey made Bjørn Lie (bjorn@"),
    ] {
        let mail = newest_mail(&app, reader.email).await;
        assert!(mail.contains(told) && mail.contains(WHY), "{mail}");
    }
    assert_ne!(app.mails_to(AMIRA.email).await.first(), Some(&"owners_changed_by_provider"));
    assert_eq!(
        add(&app, BJORN.email).await.map(drop),
        Err(OwnersStay::OwnsAlready(email(BJORN.email)))
    );
}

#[apply(on_both!)]
async fn whoever_the_operator_removes_finds_no_account_and_hears_why(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.get(BAKERY).await.is(200);
    remove(&app, INGRID.email, None).await.unwrap();
    ingrid.get(BAKERY).await.is(404);
    let mail = newest_mail(&app, INGRID.email).await;
    assert!(mail.contains("Latchkey ended your access to “Nordlys Bakeri AS”"), "{mail}");
    assert!(mail.contains(WHY), "{mail}");
    let mail = newest_mail(&app, OLAV.email).await;
    assert!(mail.contains("Latchkey ended the access of Ingrid Solberg"), "{mail}");
    let mut olav = app.as_person(OLAV).await;
    let log = olav.get(&format!("{BAKERY}/log")).await;
    log.is(200).says("Owner removed by the provider: Ingrid Solberg");
}

#[apply(on_both!)]
async fn the_last_owner_is_replaced_and_not_removed(db: TestDatabase) {
    let app = TestApp::new(db).await;
    remove(&app, OLAV.email, None).await.unwrap();
    assert_eq!(remove(&app, INGRID.email, None).await.map(drop), Err(OwnersStay::LastOwner));
    assert_eq!(owners(&app).await, [INGRID.email]);
    let same = remove(&app, INGRID.email, Some(INGRID.email)).await.map(drop);
    assert_eq!(same, Err(OwnersStay::OwnsAlready(email(INGRID.email))));
    let nobody = remove(&app, INGRID.email, Some("nobody@nordlys.example")).await.map(drop);
    assert_eq!(nobody, Err(OwnersStay::NoLogin(email("nobody@nordlys.example"))));
    let no_owner = remove(&app, BJORN.email, Some(INGRID.email)).await.map(drop);
    assert_eq!(no_owner, Err(OwnersStay::NotAnOwner(email(BJORN.email))));
    assert_eq!(owners(&app).await, [INGRID.email]);
    let changed = remove(&app, INGRID.email, Some(OLAV.email)).await.unwrap();
    assert_eq!(changed.mails, 2);
    assert_eq!(owners(&app).await, [OLAV.email]);
    app.as_person(OLAV).await.get(&format!("{BAKERY}/users")).await.is(200);
}

#[apply(on_both!)]
async fn a_reason_is_needed_and_an_account(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let add = async |number, why: &str| {
        let (number, bjorn) = (AccountNumber::from_stored(number), email(BJORN.email));
        owners_by_provider::add(&app.latchkey, number, &bjorn, why).await.map(drop)
    };
    for why in [" ", "\u{200b}", &"x".repeat(201)] {
        let refused = add(100_001, why).await;
        assert!(matches!(refused, Err(OwnersStay::Failed(Failure::Invalid(_)))), "{refused:?}");
    }
    assert_eq!(add(999_999, WHY).await, Err(OwnersStay::Failed(Failure::NotFound)));
    assert_eq!(owners(&app).await.len(), 2);
}

#[apply(on_both!)]
async fn an_owner_who_leaves_while_the_operator_removes_the_other_leaves_one(db: TestDatabase) {
    let app = std::sync::Arc::new(TestApp::new(db).await);
    let mut olav = app.as_person(OLAV).await;
    let removing = {
        let app = std::sync::Arc::clone(&app);
        tokio::spawn(async move { remove(&app, INGRID.email, None).await.is_ok() })
    };
    let leaving = tokio::spawn(async move {
        let path = format!("{BAKERY}/leave");
        olav.post(&path, "account/leave", &[("account", "100001")]).await.status.as_u16() == 303
    });
    let (removed, left) = (removing.await.unwrap(), leaving.await.unwrap());
    assert!(removed != left, "one of the two: {removed} {left}");
    assert_eq!(owners(&app).await.len(), 1);
}

#[apply(on_both!)]
async fn two_operators_who_add_the_same_person_add_them_once(db: TestDatabase) {
    let app = std::sync::Arc::new(TestApp::new(db).await);
    let adding = [(); 2].map(|()| {
        let app = std::sync::Arc::clone(&app);
        tokio::spawn(async move { add(&app, BJORN.email).await.map(drop) })
    });
    let mut came = Vec::new();
    for one in adding {
        came.push(one.await.unwrap());
    }
    assert_eq!(came.iter().filter(|one| one.is_ok()).count(), 1, "{came:?}");
    assert!(came.contains(&Err(OwnersStay::OwnsAlready(email(BJORN.email)))), "{came:?}");
    let kinds = app.mails_to(INGRID.email).await;
    let told = kinds.iter().filter(|kind| **kind == "owners_changed_by_provider").count();
    assert_eq!(told, 1, "{kinds:?}");
}

#[apply(on_both!)]
async fn somebody_is_invited_to_own_the_account_and_its_owners_hear_of_it(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let kari = email("kari@nordlys.example");
    let invite = async || owners_by_provider::invite(&app.latchkey, NUMBER, &kari).await.unwrap();
    let invited = invite().await;
    assert_eq!((invited.before, invited.owners), (None, 2));
    let mail = newest_mail(&app, INGRID.email).await;
    assert!(mail.contains("Latchkey invited kari@nordlys.example to become an owner"), "{mail}");
    let first = app.invitation_link(kari.as_str()).await;
    app.forward_hours(8 * 24);
    let mut browser = app.browser();
    browser.get(&first).await.is(410);
    // A link that is over is no dead end.
    let invited = invite().await;
    assert_eq!(invited.before, Some(model::InvitationState::Expired));
    let link = app.invitation_link(kari.as_str()).await;
    browser.get(&link).await.is(200).says("Nordlys Bakeri AS");
    browser.get(&format!("/invitations/{}", invited.token.secret().expose())).await.is(200);
    let ingrid = owners_by_provider::invite(&app.latchkey, NUMBER, &email(INGRID.email)).await;
    assert_eq!(ingrid.map(drop), Err(OwnersStay::InAccount(email(INGRID.email))));
}

#[apply(on_both!)]
async fn the_mail_tells_everybody_in_their_language(db: TestDatabase) {
    let app = TestApp::new(db).await;
    add(&app, BJORN.email).await.unwrap();
    app.keep_all_mail().await;
    let mails = app.latchkey.store.kept_mails(200).await.unwrap();
    let is_ours =
        |kept: &&store::KeptMail| matches!(kept.mail, Mail::OwnersChangedByProvider { .. });
    let ours = mails.iter().find(|kept| is_ours(kept) && kept.to.as_str() == INGRID.email).unwrap();
    for (tag, words) in [
        ("nb", "Latchkey har gjort Bjørn Lie ("),
        ("de", "Latchkey hat Bjørn Lie ("),
        ("en", "Latchkey made Bjørn Lie ("),
    ] {
        let language = model::Language::parse(tag);
        let told = app::mails::Told::at(ours.queued_at);
        let written = app::mails::write(&ours.mail, language.as_ref(), told, &app.site());
        assert!(written.text.replace('\u{2060}', "").contains(words), "{}", written.text);
        assert!(written.text.contains(WHY), "{}", written.text);
    }
}

#[apply(on_both!)]
async fn the_operator_sees_what_keeps_somebody_out(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let record = async |to: &str| user_records::find(&app.latchkey, &email(to)).await.unwrap();
    let mut ingrid = app.as_person(INGRID).await;
    let bjorn = record(BJORN.email).await;
    let bakery = bjorn.accounts.iter().find(|account| account.number == NUMBER).unwrap();
    assert!(bakery.closed.is_empty(), "{bakery:?}");
    let path = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    let reason = [("pause_reason", "On leave until May")];
    ingrid.open_and_fill_in(&path, "users/pause-access", &reason).await.is(303);
    for _ in 0..5 {
        app.browser_at("203.0.113.9").sign_in(BJORN.email, "a wrong password").await;
    }
    let bjorn = record(BJORN.email).await;
    let bakery = bjorn.accounts.iter().find(|account| account.number == NUMBER).unwrap();
    let [Closed::Paused(Pause::ByHand { by, why, .. })] = bakery.closed.as_slice() else {
        panic!("{bakery:?}")
    };
    assert_eq!((by.as_deref(), why.as_str()), (Some("Ingrid Solberg"), "On leave until May"));
    let (network, until) = &bjorn.tries.waits[0];
    assert_eq!(network, "203.0.113.9");
    assert!(*until > app.latchkey.now() && bjorn.tries.elsewhere > 0, "{:?}", bjorn.tries);
    let own = record(INGRID.email).await;
    assert_eq!(own.login.unwrap().sessions.len(), 1);

    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let kari = record("kari@nordlys.example").await;
    assert!(kari.login.is_none() && kari.accounts.is_empty());
    let [(inviting, tracked)] = kari.invitations.as_slice() else { panic!("{kari:?}") };
    assert_eq!(
        (inviting.number, tracked.inviter_name.as_deref()),
        (NUMBER, Some("Ingrid Solberg"))
    );

    app.turn_app_on(&mut ingrid).await;
    let fields = [("account", "100001"), ("days", "0")];
    ingrid.post(&format!("{BAKERY}/policy"), "policies/demand-factor", &fields).await.is(303);
    let mei = record(MEI.email).await;
    let closed = mei.accounts.iter().flat_map(|account| &account.closed);
    let closed: Vec<_> = closed.collect();
    assert!(matches!(closed.as_slice(), [.., Closed::NoSecondFactor(_)]), "{closed:?}");
}
