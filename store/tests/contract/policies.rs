use model::{
    Access, ActivityKind, EmailDomains, Failure, Mail, Noted, Permission, PolicyRule, SessionId,
    SessionSpan, SessionSpans, Timestamp, UserId,
};
use store::{
    AccountPolicy, ActivityFilter, FactorChange, FactorProof, PolicyChange, PolicyFacts, Reminders,
    RequiredFactor, Store,
};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{
    Bakery, DAY, HOUR, accept, at, at_once, email, entry, granted, mail, new_session, offer,
    secret, still_open, token, user,
};

/// Nothing but another policy, and a row of the log that tells of it.
fn to(policy: AccountPolicy, before: PolicyRule, after: PolicyRule) -> PolicyChange {
    let entry = Some(entry(after.kind()).before(before).after(after));
    PolicyChange {
        policy,
        single_sign_on: None,
        entry,
        mails: Vec::new(),
        bounds: Vec::new(),
        reminders: None,
    }
}

fn required() -> RequiredFactor {
    RequiredFactor { since: at(10), from: at(20), asked_at: None }
}

fn require(facts: &PolicyFacts) -> PolicyChange {
    let policy = AccountPolicy { factor: Some(required()), ..facts.policy.clone() };
    let rule = PolicyRule::SecondFactor;
    to(policy, rule(None), rule(Some(required().from)))
}

fn limit(facts: &PolicyFacts, domains: &str) -> PolicyChange {
    let domains = EmailDomains::parse(domains).unwrap();
    let policy = AccountPolicy { domains: domains.clone(), ..facts.policy.clone() };
    to(policy, PolicyRule::Domains(facts.policy.domains.clone()), PolicyRule::Domains(domains))
}

fn reminders(round: Timestamp) -> Reminders {
    let mail = Mail::SecondFactorRequired {
        account: "Bakery".into(),
        from: required().from,
        closed: false,
    };
    Reminders { round, mail, most: 2 }
}

async fn factor_change(store: &Store, user: UserId, number: u8) -> FactorChange {
    store.begin_session(user, &new_session(number), None, at(0)).await.unwrap();
    FactorChange { session: token(number), by_factor: true, mail: mail("factor@example.com") }
}

/// Has the user an app, turned on in a session with this number; its last code was of step 100.
async fn with_app(store: &Store, user: UserId, number: u8) -> FactorChange {
    let change = factor_change(store, user, number).await;
    store.begin_authenticator_setup(user, &secret("KEY"), at(100)).await.unwrap();
    store.add_authenticator_app(user, &secret("KEY"), 100, &[], &change, at(1)).await.unwrap();
    change
}

/// To whom the reminders went, in the order of their addresses.
async fn reminded(store: &Store) -> Vec<String> {
    let mut to = Vec::new();
    while let Some(mail) = store.take_mail(HOUR, at(100)).await.unwrap() {
        if matches!(mail.mail, Mail::SecondFactorRequired { .. }) {
            to.push(mail.to.to_string());
        }
    }
    to.sort();
    to
}

#[apply(on_both!)]
async fn a_policy_is_changed_rule_by_rule_and_logged(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    assert_eq!(db.store.policy(bakery.id).await.unwrap(), AccountPolicy::default());
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    db.store.change_policy(id, ingrid, at(1), |facts| Ok(Some(require(facts)))).await.unwrap();
    let sessions = SessionSpans { idle: Some(SessionSpan::Hour), absolute: None };
    let bound = |facts: &PolicyFacts| {
        let policy = AccountPolicy { sessions, ..facts.policy.clone() };
        let rule = PolicyRule::Sessions;
        Ok(Some(to(policy, rule(facts.policy.sessions), rule(sessions))))
    };
    db.store.change_policy(id, ingrid, at(2), bound).await.unwrap();
    let narrow = |facts: &PolicyFacts| Ok(Some(limit(facts, "a.example")));
    db.store.change_policy(id, ingrid, at(3), narrow).await.unwrap();
    db.store.change_policy(id, ingrid, at(4), |_| Ok(None)).await.unwrap();

    let domains = EmailDomains::parse("a.example").unwrap();
    let policy = AccountPolicy { factor: Some(required()), sessions, domains: domains.clone() };
    assert_eq!(db.store.policy(id).await.unwrap(), policy);
    let rows = db.store.activity(id, &ActivityFilter::default(), 3).await.unwrap();
    let kinds: Vec<_> = rows.iter().map(|row| row.entry.kind).collect();
    use ActivityKind::{DomainRule, SecondFactorRule, SessionRule};
    assert_eq!(kinds, [DomainRule, SessionRule, SecondFactorRule]);
    let noted = |rule| Some(Noted::Rule(rule));
    assert_eq!(rows[0].entry.after, noted(PolicyRule::Domains(domains)));
    assert_eq!(rows[1].entry.before, noted(PolicyRule::Sessions(SessionSpans::default())));
    assert_eq!(rows[2].entry.after, noted(PolicyRule::SecondFactor(Some(at(20)))));
}

#[apply(on_both!)]
async fn a_policy_is_decided_on_who_asks_and_owns_at_this_moment(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let olav = bakery.with("Olav", "olav@example.com", Access::Owner).await;
    let amira = granted(&[Permission::AccountUsers]);
    let amira = bakery.with("Amira", "amira@example.com", amira).await;
    with_app(&db.store, olav, 1).await;
    let no = Failure::OwnersOnly;
    for (who, owner, has_factor) in
        [(bakery.ingrid, true, false), (olav, true, true), (amira, false, false)]
    {
        let asked = |facts: &PolicyFacts| {
            assert_eq!(facts.by.actor.keys.is_owner(), owner);
            assert_eq!(facts.has_factor, has_factor);
            let owners: Vec<_> = facts.owners.iter().map(|o| o.full_name.clone()).collect();
            assert_eq!(owners, ["Ingrid Berg", "Olav"]);
            Err(no.clone())
        };
        assert_eq!(db.store.change_policy(bakery.id, who, at(1), asked).await, Err(no.clone()));
    }
    let stranger = user(&db.store, "Tom", "tom@example.com").await;
    let asked = db.store.change_policy(bakery.id, stranger, at(1), |_| Ok(None)).await;
    assert_eq!(asked, Err(Failure::NotFound));
}

#[apply(on_both!)]
async fn nobody_requires_a_factor_that_they_turned_off_before(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for round in 1..10 {
        let address = format!("olav{round}@example.com");
        let olav = bakery.with("Olav", &address, Access::Owner).await;
        let change = with_app(&db.store, olav, round).await;
        let requiring =
            db.store.change_policy(bakery.id, olav, at(2), |facts| match facts.has_factor {
                true => Ok(Some(require(facts))),
                false => Err(Failure::NoSecondFactor),
            });
        let proof = FactorProof::App(101);
        let removing = db.store.remove_authenticator_app(olav, proof, &change, at(2));
        let (required, removed) = tokio::join!(requiring, removing);
        removed.unwrap();
        // Whichever came first, the next entry sees both as they are.
        let found = db.store.membership(olav, bakery.number, None, at(0)).await.unwrap().unwrap();
        assert!(!found.second_factor);
        assert_eq!(found.policy.factor.is_some(), required.is_ok(), "{required:?}");
        let lift = |facts: &PolicyFacts| {
            let policy = AccountPolicy { factor: None, ..facts.policy.clone() };
            let rule = PolicyRule::SecondFactor(None);
            Ok(Some(to(policy, rule.clone(), rule)))
        };
        db.store.change_policy(bakery.id, bakery.ingrid, at(3), lift).await.unwrap();
    }
}

#[apply(on_both!)]
async fn each_person_is_reminded_once_in_a_round_by_however_many_nodes(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let kari = bakery.with("Kari", "kari@example.com", granted(&[])).await;
    for number in 0..4 {
        let (name, address) = (format!("P{number}"), format!("p{number}@example.com"));
        bakery.with(&name, &address, granted(&[])).await;
    }
    with_app(&db.store, kari, 1).await;
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    let remind = |round: Timestamp| {
        let store = db.store.clone();
        move |_| {
            let store = store.clone();
            async move {
                let mut sent = 0;
                loop {
                    match store.remind_of_factor(id, at(30), |_| reminders(round)).await.unwrap() {
                        0 => return sent,
                        some => sent += some,
                    }
                }
            }
        }
    };
    assert_eq!(remind(at(10))(0).await, 0, "nothing is required yet");
    let requiring = |facts: &PolicyFacts| {
        Ok(Some(PolicyChange { reminders: Some(reminders(at(10))), ..require(facts) }))
    };
    db.store.change_policy(id, ingrid, at(10), requiring).await.unwrap();
    assert_eq!(reminded(&db.store).await.len(), 2, "as many as one transaction takes");
    let sent: usize = at_once(8, remind(at(10))).await.into_iter().sum();
    assert_eq!(sent, 3);
    let all = [
        "ingrid@example.com",
        "p0@example.com",
        "p1@example.com",
        "p2@example.com",
        "p3@example.com",
    ];
    assert_eq!(reminded(&db.store).await.len(), 3);
    assert_eq!(remind(at(10))(0).await, 0, "everybody was");
    let sent: usize = at_once(8, remind(at(20))).await.into_iter().sum();
    assert_eq!(sent, 5);
    assert_eq!(reminded(&db.store).await, all);
    bakery.with("Late", "late@example.com", granted(&[])).await;
    assert_eq!(remind(at(20))(0).await, 1, "who joins is told, too");
    assert_eq!(reminded(&db.store).await, ["late@example.com"]);
    assert_eq!(db.store.requiring_accounts(None, 9).await.unwrap(), [id]);
    assert!(db.store.requiring_accounts(Some(id), 9).await.unwrap().is_empty());
    assert_eq!(db.store.requiring_accounts_of(kari, 9).await.unwrap(), ["Bakery"]);
}

#[apply(on_both!)]
async fn those_without_a_factor_come_in_pages_by_name(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mut with_factor = Vec::new();
    for number in 0..20_u8 {
        let name = format!("Person {}", number / 3);
        let address = format!("p{number:02}@example.com");
        let person = bakery.with(&name, &address, granted(&[])).await;
        if number % 4 == 0 {
            with_app(&db.store, person, number).await;
            with_factor.push(person);
        }
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = db.store.users_without_factor(bakery.id, after.as_ref(), 4).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.cursor(store::UserSort::Name));
        seen.extend(page.into_iter().map(|member| (member.full_name, member.user)));
    }
    assert_eq!(seen.len(), 16);
    assert!(seen.is_sorted_by_key(|(name, _)| name.to_lowercase()), "{seen:?}");
    assert!(!seen.iter().any(|(_, user)| with_factor.contains(user)));
}

#[apply(on_both!)]
async fn a_visit_is_noted_by_session_where_leaving_the_account_unused_is_bound(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let session = async |number| {
        let (idle, absolute) = (30 * DAY, 30 * DAY);
        db.store.session(&token(number), idle, absolute, at(0)).await.unwrap().unwrap().session
    };
    db.store.begin_session(bakery.ingrid, &new_session(1), None, at(0)).await.unwrap();
    db.store.begin_session(bakery.ingrid, &new_session(2), None, at(0)).await.unwrap();
    let (one, two) = (session(1).await, session(2).await);
    let visit = async |session: SessionId, seconds| {
        let (user, number) = (bakery.ingrid, bakery.number);
        let found = db.store.membership(user, number, Some(session), at(0)).await.unwrap().unwrap();
        db.store.note_visit(user, session, &found, at(seconds)).await;
        db.store.noted().await;
        found.visited_at
    };
    visit(one, 1).await;
    assert_eq!(visit(one, 2).await, None, "nobody asked for it");
    let bound = |facts: &PolicyFacts| {
        let sessions = SessionSpans { idle: Some(SessionSpan::Hour), absolute: None };
        let policy = AccountPolicy { sessions, ..facts.policy.clone() };
        let rule = PolicyRule::Sessions;
        Ok(Some(to(policy, rule(facts.policy.sessions), rule(sessions))))
    };
    db.store.change_policy(bakery.id, bakery.ingrid, at(3), bound).await.unwrap();
    assert_eq!(visit(one, 100).await, None);
    assert_eq!(visit(one, 159).await, Some(at(100)));
    assert_eq!(visit(one, 160).await, Some(at(100)), "59 seconds later it wasn't noted");
    assert_eq!(visit(one, 161).await, Some(at(160)));
    assert_eq!(visit(two, 200).await, None, "another session");
    db.store.end_session(&token(1)).await.unwrap();
    assert_eq!(visit(one, 300).await, None, "it is gone with its session");
    assert_eq!(visit(one, 400).await, None);
}

#[apply(on_both!)]
async fn a_rule_about_domains_and_an_invitation_come_one_after_the_other(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    for round in 0..6_u8 {
        let (now, later) = (at(u64::from(round) * 10), at(u64::from(round) * 10 + 5));
        let (address, number) = (email(&format!("k{round}@b.example")), 20 + round);
        let other = |facts: &EmailDomains| Failure::OtherDomain(facts.clone());
        let narrowing =
            db.store.change_policy(id, ingrid, now, |facts| Ok(Some(limit(facts, "a.example"))));
        let offering = db.store.offer_invitation(id, ingrid, &address, now, |facts| {
            match facts.domains.take(&address) {
                true => Ok(offer(number, granted(&[Permission::BillingView]))),
                false => Err(other(&facts.domains)),
            }
        });
        let (narrowed, offered) = tokio::join!(narrowing, offering);
        narrowed.unwrap();
        let rows = db.store.activity(id, &ActivityFilter::default(), 2).await.unwrap();
        if offered.is_ok() {
            let kinds = [ActivityKind::DomainRule, ActivityKind::InvitationSent];
            assert_eq!([rows[0].entry.kind, rows[1].entry.kind], kinds, "sent before the rule");
            let opened = db.store.open_invitation(&token(number), later).await.unwrap().unwrap();
            assert!(!opened.domains.take(&opened.invitation.email));
        } else {
            assert_eq!(rows[0].entry.kind, ActivityKind::DomainRule);
        }
        let widen = |facts: &PolicyFacts| Ok(Some(limit(facts, "")));
        db.store.change_policy(id, ingrid, later, widen).await.unwrap();
    }
}

#[apply(on_both!)]
async fn a_rule_about_domains_and_a_yes_come_one_after_the_other(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    for round in 0..6_u8 {
        let (now, later) = (at(u64::from(round) * 10), at(u64::from(round) * 10 + 5));
        let (address, number) = (format!("k{round}@b.example"), 30 + round);
        bakery.invite(&address, number).await;
        let kari = user(&db.store, "Kari", &address).await;
        let narrowing =
            db.store.change_policy(id, ingrid, now, |facts| Ok(Some(limit(facts, "a.example"))));
        let (hash, access) = (token(number), granted(&[Permission::BillingPay]));
        let joining = db.store.answer_invitation(&hash, now, |facts| {
            still_open(facts)?;
            match facts.opened.domains.take(&facts.opened.invitation.email) {
                true => Ok(accept(store::Joiner::Existing(kari), access)),
                false => Err(Failure::OwnersOnly),
            }
        });
        let (narrowed, joined) = tokio::join!(narrowing, joining);
        narrowed.unwrap();
        let rows = db.store.activity(id, &ActivityFilter::default(), 2).await.unwrap();
        assert_eq!(rows[0].entry.kind, ActivityKind::DomainRule, "the rule came last or alone");
        let is_in = db.store.membership(kari, bakery.number, None, at(0)).await.unwrap().is_some();
        assert_eq!(is_in, joined.is_ok(), "{joined:?}");
        let widen = |facts: &PolicyFacts| Ok(Some(limit(facts, "")));
        db.store.change_policy(id, ingrid, later, widen).await.unwrap();
    }
}
