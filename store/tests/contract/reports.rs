use model::{AccountNumber, ActivityKind, Conflict, Failure, InvitationState};
use store::{Answer, AnswerFacts, NewReport, OfferFacts};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{Bakery, account, at, at_once, email, entry, mail, still_open, token};

fn report(facts: &AnswerFacts) -> Result<Answer, Failure> {
    still_open(facts)?;
    let report = NewReport {
        inviter_name: "Ingrid Berg".to_owned(),
        inviter_email: "ingrid@example.com".to_owned(),
        mail: Some(mail("operator@example.com")),
    };
    Ok(Answer::Decline {
        entry: entry(ActivityKind::InvitationDeclined),
        mail: None,
        report: Some(report),
    })
}

/// Whether a report keeps the bakery from inviting this address. Nothing is offered.
async fn reported(bakery: &Bakery, address: &str) -> bool {
    let mut reported = None;
    let decide = |facts: &OfferFacts| {
        reported = Some(facts.reported);
        Err(Failure::NotFound)
    };
    let to = email(address);
    let offered = bakery.store.offer_invitation(bakery.id, bakery.ingrid, &to, at(9), decide).await;
    assert_eq!(offered.map(drop), Err(Failure::NotFound));
    reported.unwrap()
}

async fn mails_to_operator(db: &TestDatabase) -> usize {
    let mut mails = 0;
    while let Some(mail) = db.store.take_mail(crate::story::DAY, at(99)).await.unwrap() {
        mails += usize::from(mail.to == email("operator@example.com"));
    }
    mails
}

#[apply(on_both!)]
async fn a_report_declines_tells_the_operator_and_holds_until_it_is_lifted(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.invite("Kari@Example.com", 1).await;
    assert!(!reported(&bakery, "kari@example.com").await);
    db.store.answer_invitation(&token(1), at(5), report).await.unwrap();
    let opened = db.store.open_invitation(&token(1), at(6)).await.unwrap().unwrap();
    assert_eq!(opened.invitation.state, InvitationState::Declined);
    assert_eq!(mails_to_operator(&db).await, 1);

    assert!(reported(&bakery, "KARI@example.com").await);
    assert!(!reported(&bakery, "ola@example.com").await);
    let one = db.store.reports(9).await.unwrap().remove(0);
    assert_eq!((one.at, one.account_number), (at(5), bakery.number));
    assert_eq!((one.account_name.as_str(), one.email.as_str()), ("Bakery", "Kari@Example.com"));
    assert_eq!(one.inviter_name, "Ingrid Berg");
    assert_eq!((one.inviter_email.as_str(), one.lifted_at), ("ingrid@example.com", None));

    let kari = email("kari@example.com");
    db.store.lift_report(bakery.number, &kari, at(7)).await.unwrap();
    assert!(!reported(&bakery, "kari@example.com").await);
    let again = db.store.lift_report(bakery.number, &kari, at(8)).await;
    assert_eq!(again, Err(Failure::NotFound));
    let one = db.store.reports(9).await.unwrap().remove(0);
    assert_eq!(one.lifted_at, Some(at(7)));
}

#[apply(on_both!)]
async fn a_report_is_about_one_account(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.invite("kari@example.com", 1).await;
    db.store.answer_invitation(&token(1), at(5), report).await.unwrap();
    let (_, other) = account(&db.store, "Agency").await;
    for number in [other, AccountNumber::from_stored(1)] {
        let lifted = db.store.lift_report(number, &email("kari@example.com"), at(6)).await;
        assert_eq!(lifted, Err(Failure::NotFound));
    }
    assert!(reported(&bakery, "kari@example.com").await);
}

#[apply(on_both!)]
async fn the_newest_report_comes_first(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for (number, address) in [(1, "a@example.com"), (2, "b@example.com")] {
        bakery.invite(address, number).await;
        let now = at(u64::from(number));
        db.store.answer_invitation(&token(number), now, report).await.unwrap();
    }
    let reports = db.store.reports(9).await.unwrap();
    let addresses: Vec<_> = reports.iter().map(|report| report.email.as_str()).collect();
    assert_eq!(addresses, ["b@example.com", "a@example.com"]);
    assert_eq!(db.store.reports(1).await.unwrap().len(), 1);
}

#[apply(on_both!)]
async fn fifty_reports_at_once_are_one(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.invite("kari@example.com", 1).await;
    let answers = at_once(50, |_| {
        let store = db.store.clone();
        async move { store.answer_invitation(&token(1), at(5), report).await.map(drop) }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let declined = Failure::Conflict(Conflict::Invitation(InvitationState::Declined));
    let late = |answer: &&Result<(), Failure>| **answer == Err(declined.clone());
    assert_eq!(answers.iter().filter(late).count(), 49, "{answers:?}");
    assert_eq!(db.store.reports(9).await.unwrap().len(), 1);
    assert_eq!(mails_to_operator(&db).await, 1);
}
