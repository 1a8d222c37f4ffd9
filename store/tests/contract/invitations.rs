use std::collections::HashSet;

use model::{
    Access, ActivityKind, Conflict, Delivery, Failure, GivenAccess, InvitationState, Permission,
};
use store::{
    ActivityFilter, Answer, AnswerFacts, InvitationFacts, InvitationStep, Joiner, Offer,
    OfferFacts, Offered, PendingInvitation,
};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{
    Bakery, DAY, HOUR, accept, at, at_once, email, entry, granted, new_session, new_user, offer,
    secret, still_open, token, user,
};

const TOMORROW: u64 = 24 * 60 * 60;

fn view() -> Access {
    granted(&[Permission::BillingView])
}

fn cancel(_: &InvitationFacts) -> Result<InvitationStep, Failure> {
    Ok(InvitationStep::Cancel { entry: entry(ActivityKind::InvitationCancelled) })
}

fn resend(number: u8) -> impl FnOnce(&InvitationFacts) -> Result<InvitationStep, Failure> + Send {
    move |facts| Ok(InvitationStep::Resend(offer(number, facts.invitation.offered.access())))
}

fn decline(_: &AnswerFacts) -> Result<Answer, Failure> {
    Ok(Answer::Decline { entry: entry(ActivityKind::InvitationDeclined), mail: None, report: None })
}

/// The mails to invited people that would go out from now on, by the tests' clock at its end.
async fn outgoing(db: &TestDatabase) -> usize {
    let mut mails = 0;
    while let Some(mail) = db.store.take_mail(HOUR, at(99 * TOMORROW)).await.unwrap() {
        mails += usize::from(mail.to == email("invited@example.com"));
    }
    mails
}

async fn state(db: &TestDatabase, number: u8, seconds: u64) -> InvitationState {
    let opened = db.store.open_invitation(&token(number), at(seconds)).await.unwrap();
    opened.unwrap().invitation.state
}

async fn pending(bakery: &Bakery, seconds: u64) -> Vec<PendingInvitation> {
    let all = bakery.store.pending_invitations(bakery.id, None, 99, at(seconds)).await.unwrap();
    all.into_iter().filter(|row| row.invitation.inviter.is_some()).collect()
}

async fn kinds(bakery: &Bakery) -> Vec<ActivityKind> {
    let rows = bakery.store.activity(bakery.id, &ActivityFilter::default(), 99).await.unwrap();
    // Without the account's own two.
    rows.iter().rev().skip(2).map(|row| row.entry.kind).collect()
}

#[apply(on_both!)]
async fn an_offer_is_decided_on_the_facts_and_written_with_log_and_mail(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let to = email("Amira@Example.com");
    let mut promised = None;
    let decide = |facts: &OfferFacts| {
        assert_eq!((facts.by.actor.user, &facts.by.access), (bakery.ingrid, &Access::Owner));
        assert_eq!(
            (facts.by.name.as_str(), facts.by.account_name.as_str()),
            ("Ingrid Berg", "Bakery")
        );
        assert!(facts.in_account.is_none() && facts.pending.is_none());
        promised = Some(facts.id);
        Ok(offer(1, view()))
    };
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    let offered = db.store.offer_invitation(id, ingrid, &to, at(5), decide).await.unwrap();
    assert_eq!(Offered::New(promised.unwrap()), offered);

    let rows = pending(&bakery, 6).await;
    let invitation = &rows[0].invitation;
    assert_eq!((Some(invitation.id), invitation.inviter), (promised, Some(ingrid)));
    assert_eq!(
        (invitation.email.as_str(), &invitation.offered.access()),
        ("Amira@Example.com", &view())
    );
    assert_eq!((invitation.state, invitation.sent_at), (InvitationState::Pending, at(5)));
    assert_eq!(invitation.expires_at, at(TOMORROW));
    assert_eq!(rows[0].inviter_name.as_deref(), Some("Ingrid Berg"));
    assert_eq!(rows[0].delivery, Delivery::Queued { answer: None });
    assert_eq!(kinds(&bakery).await, [ActivityKind::InvitationSent]);
    assert_eq!(outgoing(&db).await, 1);
    let one = db.store.invitation(id, invitation.id, at(6)).await.unwrap().unwrap();
    assert_eq!(one.email, to);
    let (elsewhere, _) = crate::story::account(&db.store, "Agency").await;
    assert!(db.store.invitation(elsewhere, one.id, at(6)).await.unwrap().is_none());
}

#[apply(on_both!)]
async fn a_refused_offer_leaves_no_trace(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (id, ingrid, to) = (bakery.id, bakery.ingrid, email("a@example.com"));
    let no = Failure::NotAllowed(Permission::AccountUsers);
    let decide = |_: &OfferFacts| Err(no.clone());
    let refused = db.store.offer_invitation(id, ingrid, &to, at(1), decide).await;
    assert_eq!(refused, Err(no));
    assert!(pending(&bakery, 1).await.is_empty() && kinds(&bakery).await.is_empty());
    assert_eq!(outgoing(&db).await, 0);
    let stranger = user(&db.store, "Tom", "tom@example.com").await;
    let decide = |_: &OfferFacts| panic!("asked about a stranger");
    let by_stranger = db.store.offer_invitation(id, stranger, &to, at(1), decide).await;
    assert_eq!(by_stranger, Err(Failure::NotFound));
}

#[apply(on_both!)]
async fn an_offer_tells_who_at_the_address_is_in_the_account(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let no = Failure::Conflict(Conflict::AlreadyInAccount);
    let decide = |facts: &OfferFacts| {
        assert_eq!(facts.in_account, Some(bakery.ingrid));
        Err(no.clone())
    };
    let (id, ingrid, to) = (bakery.id, bakery.ingrid, email("INGRID@example.com"));
    assert_eq!(db.store.offer_invitation(id, ingrid, &to, at(1), decide).await, Err(no));
}

#[apply(on_both!)]
async fn a_second_offer_updates_the_pending_one_and_replaces_link_and_mail(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let first = bakery.invite("a@example.com", 1).await;
    let olav = bakery.with("Olav", "olav@example.com", Access::Owner).await;
    let decide = |facts: &OfferFacts| {
        assert_eq!(facts.pending.as_ref().map(|pending| pending.id), Some(first));
        assert_eq!(facts.id, first);
        Ok(Offer { expires_at: at(2 * TOMORROW), ..offer(2, view()) })
    };
    let to = email("A@example.com");
    let offered = db.store.offer_invitation(bakery.id, olav, &to, at(9), decide).await;
    assert_eq!(offered, Ok(Offered::Updated(first)));

    let rows = pending(&bakery, 9).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&rows[0].invitation.offered.access(), rows[0].invitation.inviter),
        (&view(), Some(olav))
    );
    assert_eq!(rows[0].invitation.expires_at, at(2 * TOMORROW));
    let old = db.store.open_invitation(&token(1), at(9)).await.unwrap().unwrap();
    let new = db.store.open_invitation(&token(2), at(9)).await.unwrap().unwrap();
    assert!(old.replaced && !new.replaced);
    assert_eq!(outgoing(&db).await, 1, "the first mail's link is dead: it must not go out");
}

#[apply(on_both!)]
async fn an_offer_after_expiry_counts_as_new(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let first = bakery.invite("a@example.com", 1).await;
    assert_eq!(state(&db, 1, TOMORROW - 1).await, InvitationState::Pending);
    assert_eq!(state(&db, 1, TOMORROW).await, InvitationState::Expired);
    assert_eq!(pending(&bakery, TOMORROW).await[0].invitation.state, InvitationState::Expired);
    let decide = |facts: &OfferFacts| {
        let pending = facts.pending.as_ref().unwrap();
        assert_eq!((pending.id, pending.state), (first, InvitationState::Expired));
        Ok(Offer { expires_at: at(2 * TOMORROW), ..offer(2, view()) })
    };
    let (id, ingrid, to) = (bakery.id, bakery.ingrid, email("a@example.com"));
    let offered = db.store.offer_invitation(id, ingrid, &to, at(TOMORROW), decide).await;
    assert!(matches!(offered, Ok(Offered::New(_))), "{offered:?}");
    assert_eq!(pending(&bakery, TOMORROW).await.len(), 1);
    assert_eq!(state(&db, 2, TOMORROW).await, InvitationState::Pending);
}

#[apply(on_both!)]
async fn offers_at_once_to_one_address_leave_one_pending(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    let offered = at_once(20, |number| {
        let store = db.store.clone();
        async move {
            let (to, decide) = (email("a@example.com"), |_: &_| Ok(offer(number, view())));
            store.offer_invitation(id, ingrid, &to, at(1), decide).await.unwrap()
        }
    })
    .await;
    let new = offered.iter().filter(|offered| matches!(offered, Offered::New(_)));
    assert_eq!(new.count(), 1);
    assert_eq!(pending(&bakery, 1).await.len(), 1);
    assert_eq!(outgoing(&db).await, 1);
}

#[apply(on_both!)]
async fn resending_renews_link_mail_and_clock_and_makes_it_the_senders(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let invitation = bakery.invite("a@example.com", 1).await;
    let olav = bakery.with("Olav", "olav@example.com", Access::Owner).await;
    let decide = |facts: &InvitationFacts| {
        assert_eq!((facts.by.actor.user, facts.by.name.as_str()), (olav, "Olav"));
        // Also one that ran out is sent again.
        assert_eq!(facts.invitation.state, InvitationState::Expired);
        let expires_at = at(2 * TOMORROW);
        let offer = Offer { expires_at, ..offer(2, facts.invitation.offered.access()) };
        Ok(InvitationStep::Resend(offer))
    };
    let (id, now) = (bakery.id, at(TOMORROW));
    let sent = db.store.step_invitation(id, olav, invitation, now, decide).await.unwrap();
    assert_eq!((sent.id, sent.state), (invitation, InvitationState::Pending));
    assert_eq!((sent.sent_at, sent.expires_at), (now, at(2 * TOMORROW)));
    assert_eq!(sent.inviter, Some(olav));
    let old = db.store.open_invitation(&token(1), now).await.unwrap().unwrap();
    assert!(old.replaced);
    assert_eq!(outgoing(&db).await, 1);
}

#[apply(on_both!)]
async fn a_cancelled_invitation_is_dead_and_its_mail_stays_home(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let invitation = bakery.invite("a@example.com", 1).await;
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    let cancelled = db.store.step_invitation(id, ingrid, invitation, at(1), cancel).await;
    assert_eq!(cancelled.unwrap().state, InvitationState::Cancelled);
    assert!(pending(&bakery, 1).await.is_empty());
    assert_eq!(state(&db, 1, 1).await, InvitationState::Cancelled);
    assert_eq!(outgoing(&db).await, 0);
    assert_eq!(
        kinds(&bakery).await,
        [ActivityKind::InvitationSent, ActivityKind::InvitationCancelled]
    );
    // Whatever is decided: what ended stays as it ended.
    let gone = Failure::Conflict(Conflict::Invitation(InvitationState::Cancelled));
    let resent = db.store.step_invitation(id, ingrid, invitation, at(2), resend(2)).await;
    assert_eq!(resent.unwrap_err(), gone);
    let again = db.store.step_invitation(id, ingrid, invitation, at(2), cancel).await;
    assert_eq!(again.unwrap_err(), gone);
    assert_eq!(db.store.answer_invitation(&token(1), at(2), decline).await, Err(gone));
    // And the address can be invited anew.
    assert_ne!(bakery.invite("a@example.com", 3).await, invitation);
}

#[apply(on_both!)]
async fn steps_are_for_those_in_the_account(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let invitation = bakery.invite("a@example.com", 1).await;
    let agency = Bakery {
        id: crate::story::account(&db.store, "Agency").await.0,
        store: db.store.clone(),
        ..bakery
    };
    let tom = agency.with("Tom", "tom@example.com", Access::Owner).await;
    for (account, actor) in [(bakery.id, tom), (agency.id, tom)] {
        let step = db.store.step_invitation(account, actor, invitation, at(1), cancel).await;
        assert_eq!(step.unwrap_err(), Failure::NotFound);
    }
    assert_eq!(state(&db, 1, 1).await, InvitationState::Pending);
}

#[apply(on_both!)]
async fn pending_invitations_come_in_pages_newest_first(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for number in 0..10 {
        bakery.invite(&format!("a{number}@example.com"), number).await;
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = db.store.pending_invitations(bakery.id, after.as_ref(), 3, at(1));
        let page = page.await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.cursor());
        seen.extend(page.iter().map(|row| row.invitation.email.to_string()));
    }
    let mut expected: Vec<_> =
        (0..10).rev().map(|number| format!("a{number}@example.com")).collect();
    expected.push("founder@example.com".to_owned());
    assert_eq!(seen, expected);
}

#[apply(on_both!)]
async fn the_list_tells_what_became_of_the_newest_mail(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    db.store.take_mail(HOUR, at(0)).await.unwrap();
    let invitation = bakery.invite("a@example.com", 1).await;
    let delivery = async || pending(&bakery, 1).await.remove(0).delivery;
    let answer = |text: &str| text.to_owned();

    let mail = db.store.take_mail(HOUR, at(1)).await.unwrap().unwrap();
    db.store.mail_deferred(mail.id, "451 later", at(1)).await.unwrap();
    assert_eq!(delivery().await, Delivery::Queued { answer: Some(answer("451 later")) });
    db.store.mail_failed(mail.id, "550 no such user", at(1)).await.unwrap();
    assert_eq!(delivery().await, Delivery::Failed { answer: answer("550 no such user") });

    let (id, ingrid) = (bakery.id, bakery.ingrid);
    db.store.step_invitation(id, ingrid, invitation, at(1), resend(2)).await.unwrap();
    assert_eq!(delivery().await, Delivery::Queued { answer: None });
    let mail = db.store.take_mail(HOUR, at(1)).await.unwrap().unwrap();
    db.store.mail_sent(mail.id, "250 OK", at(1)).await.unwrap();
    assert_eq!(delivery().await, Delivery::Sent);

    db.store.step_invitation(id, ingrid, invitation, at(1), resend(3)).await.unwrap();
    let mail = db.store.take_mail(HOUR, at(1)).await.unwrap().unwrap();
    db.store.mail_kept(mail.id, at(1)).await.unwrap();
    assert_eq!(delivery().await, Delivery::Kept);
}

#[apply(on_both!)]
async fn a_link_leads_to_what_somebody_needs_to_know_before_joining(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.invite("amira@example.com", 1).await;
    let opened = db.store.open_invitation(&token(1), at(1)).await.unwrap().unwrap();
    assert_eq!((opened.account, opened.account_number), (bakery.id, bakery.number));
    assert_eq!(opened.account_name, "Bakery");
    assert_eq!(opened.inviter_name.as_deref(), Some("Ingrid Berg"));
    assert_eq!(opened.inviter_email, Some(email("ingrid@example.com")));
    assert_eq!(opened.inviter_access, Some(Access::Owner));
    assert_eq!(opened.login, None);
    let amira = user(&db.store, "Amira", "amira@example.com").await;
    let opened = db.store.open_invitation(&token(1), at(1)).await.unwrap().unwrap();
    assert_eq!(opened.login, Some(amira));
    assert!(db.store.open_invitation(&token(9), at(1)).await.unwrap().is_none());
}

#[apply(on_both!)]
async fn a_link_tells_what_the_inviter_may_do_at_this_moment(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let administrator = granted(&[Permission::AccountUsers, Permission::BillingPay]);
    let amira = bakery.with("Amira", "amira@example.com", administrator.clone()).await;
    let (id, to) = (bakery.id, email("a@example.com"));
    let decide = |_: &OfferFacts| Ok(offer(1, view()));
    db.store.offer_invitation(id, amira, &to, at(0), decide).await.unwrap();
    let access = async || {
        let opened = db.store.open_invitation(&token(1), at(1)).await.unwrap().unwrap();
        opened.inviter_access
    };
    assert_eq!(access().await, Some(administrator));
    for left in [Some(view()), None] {
        let change = crate::story::change(left.clone());
        let changed =
            db.store.change_membership(id, bakery.ingrid, amira, at(1), |_| Ok(Some(change)));
        changed.await.unwrap();
        assert_eq!(access().await, left);
    }
}

#[apply(on_both!)]
async fn joining_with_a_new_login_makes_login_membership_and_session(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.invite("amira@example.com", 1).await;
    let amira = new_user("Amira Haddad", "amira@example.com");
    let id = amira.id;
    let decide = |facts: &AnswerFacts| {
        still_open(facts)?;
        assert!(facts.login_name.is_none() && !facts.in_account);
        Ok(Answer::Accept {
            joiner: Joiner::New(amira),
            given: GivenAccess::new(view(), ""),
            owner: None,
            session: Some(Box::new(new_session(7))),
            entry: entry(ActivityKind::InvitationAccepted),
            mail: Some(crate::story::mail("ingrid@example.com")),
        })
    };
    let number = db.store.answer_invitation(&token(1), at(5), decide).await.unwrap();
    assert_eq!(number, bakery.number);
    assert_eq!(bakery.access(id).await, view());
    let session = db.store.session(&token(7), HOUR, DAY, at(6)).await.unwrap().unwrap();
    assert_eq!(session.user, id);
    assert_eq!(state(&db, 1, 6).await, InvitationState::Accepted);
    assert!(pending(&bakery, 6).await.is_empty());
    assert_eq!(
        kinds(&bakery).await,
        [ActivityKind::InvitationSent, ActivityKind::InvitationAccepted]
    );
    let mut to = HashSet::new();
    while let Some(mail) = db.store.take_mail(HOUR, at(6)).await.unwrap() {
        to.insert(mail.to.to_string());
    }
    let expected = ["founder@example.com", "ingrid@example.com"];
    assert_eq!(to, expected.map(str::to_owned).into(), "the inviter is told");
}

#[apply(on_both!)]
async fn joining_with_a_login_keeps_it_as_it_is(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.invite("amira@example.com", 1).await;
    let amira = user(&db.store, "Amira Haddad", "amira@example.com").await;
    let decide = |facts: &AnswerFacts| {
        assert_eq!(facts.opened.login, Some(amira));
        assert_eq!(facts.login_name.as_deref(), Some("Amira Haddad"));
        Ok(accept(Joiner::Existing(amira), view()))
    };
    db.store.answer_invitation(&token(1), at(5), decide).await.unwrap();
    assert_eq!(bakery.access(amira).await, view());
    let login = db.store.login_of(amira).await.unwrap().unwrap();
    assert_eq!(login.password_hash.expose(), secret("$argon2id$first").expose());
}

#[apply(on_both!)]
async fn joining_with_an_address_that_has_a_login_by_now_changes_nothing(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.invite("amira@example.com", 1).await;
    user(&db.store, "Amira", "amira@example.com").await;
    let joiner = Joiner::New(new_user("Somebody", "AMIRA@example.com"));
    let decide = |_: &AnswerFacts| Ok(accept(joiner, view()));
    let answer = db.store.answer_invitation(&token(1), at(5), decide).await;
    assert_eq!(answer, Err(Failure::Conflict(Conflict::LoginExists)));
    assert_eq!(state(&db, 1, 5).await, InvitationState::Pending);
}

#[apply(on_both!)]
async fn joining_an_account_that_one_is_in_changes_nothing(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.invite("amira@example.com", 1).await;
    let amira = bakery.with("Amira", "amira@example.com", view()).await;
    let decide = |facts: &AnswerFacts| {
        assert!(facts.in_account);
        Ok(accept(Joiner::Existing(amira), Access::Owner))
    };
    let answer = db.store.answer_invitation(&token(1), at(5), decide).await;
    assert_eq!(answer, Err(Failure::Conflict(Conflict::AlreadyInAccount)));
    assert_eq!(bakery.access(amira).await, view());
    assert_eq!(state(&db, 1, 5).await, InvitationState::Pending);
}

#[apply(on_both!)]
async fn declining_ends_the_invitation(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.invite("amira@example.com", 1).await;
    db.store.answer_invitation(&token(1), at(5), decline).await.unwrap();
    assert_eq!(state(&db, 1, 5).await, InvitationState::Declined);
    assert_eq!(outgoing(&db).await, 0);
    assert_eq!(
        kinds(&bakery).await,
        [ActivityKind::InvitationSent, ActivityKind::InvitationDeclined]
    );
}

#[apply(on_both!)]
async fn an_unknown_link_is_no_link_and_a_replaced_one_says_so(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let invitation = bakery.invite("amira@example.com", 1).await;
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    db.store.step_invitation(id, ingrid, invitation, at(1), resend(2)).await.unwrap();
    let unknown = db.store.answer_invitation(&token(9), at(2), |_| panic!("asked")).await;
    assert_eq!(unknown, Err(Failure::NotFound));
    let decide = |facts: &AnswerFacts| {
        still_open(facts)?;
        decline(facts)
    };
    let old = db.store.answer_invitation(&token(1), at(2), decide).await;
    assert_eq!(old, Err(Failure::Conflict(Conflict::LinkReplaced)));
    assert!(db.store.answer_invitation(&token(2), at(2), decide).await.is_ok());
}

#[apply(on_both!)]
async fn of_fifty_joining_at_once_one_joins(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.invite("amira@example.com", 1).await;
    let results = at_once(50, |_| {
        let store = db.store.clone();
        async move {
            let amira = new_user("Amira", "amira@example.com");
            let decide = |facts: &AnswerFacts| {
                still_open(facts)?;
                Ok(accept(Joiner::New(amira), view()))
            };
            store.answer_invitation(&token(1), at(1), decide).await
        }
    })
    .await;
    let accepted = Err(Failure::Conflict(Conflict::Invitation(InvitationState::Accepted)));
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(results.iter().filter(|result| **result == accepted).count(), 49);
    assert_eq!(db.store.accounts(None, 1, at(0)).await.unwrap()[0].users, 2);
}

#[apply(on_both!)]
async fn one_person_joining_two_accounts_at_once_gets_one_login(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.invite("amira@example.com", 1).await;
    let (agency, _) = crate::story::account(&db.store, "Agency").await;
    db.store.add_member(agency, bakery.ingrid, Access::Owner, at(0)).await.unwrap();
    let agency = Bakery { id: agency, store: db.store.clone(), ..bakery };
    agency.invite("amira@example.com", 2).await;
    let results = at_once(2, |number| {
        let store = db.store.clone();
        async move {
            let joiner = Joiner::New(new_user("Amira", "amira@example.com"));
            let decide = |_: &AnswerFacts| Ok(accept(joiner, view()));
            store.answer_invitation(&token(number + 1), at(1), decide).await
        }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(results.contains(&Err(Failure::Conflict(Conflict::LoginExists))), "{results:?}");
}

#[apply(on_both!)]
async fn joining_cancelling_and_resending_at_once_end_in_one_of_the_three(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    for round in 0..10_u8 {
        let address = format!("a{round}@example.com");
        let invitation = bakery.invite(&address, round).await;
        let outcome = at_once(3, |step| {
            let (store, address) = (db.store.clone(), address.clone());
            async move {
                let done = match step {
                    0 => {
                        let decide = |facts: &AnswerFacts| {
                            still_open(facts)?;
                            let user = new_user("Amira", &address);
                            Ok(accept(Joiner::New(user), view()))
                        };
                        store.answer_invitation(&token(round), at(1), decide).await.map(drop)
                    }
                    1 => {
                        let step = store.step_invitation(id, ingrid, invitation, at(1), cancel);
                        step.await.map(drop)
                    }
                    _ => {
                        let resend = resend(100 + round);
                        let step = store.step_invitation(id, ingrid, invitation, at(1), resend);
                        step.await.map(drop)
                    }
                };
                assert_ne!(done, Err(Failure::Unavailable), "step {step}");
                done.is_ok()
            }
        })
        .await;
        let (joined, cancelled) = (outcome[0], outcome[1]);
        let now = db.store.invitation(id, invitation, at(1)).await.unwrap().unwrap().state;
        assert!(joined != cancelled, "either joined or cancelled: {outcome:?}");
        let expected = if joined { InvitationState::Accepted } else { InvitationState::Cancelled };
        assert_eq!(now, expected);
        assert_eq!(db.store.login(&email(&address)).await.unwrap().is_some(), joined);
    }
    assert_eq!(outgoing(&db).await, 0, "no mail leaves with a dead link");
}
