use model::{
    Access, AccountId, ActivityKind, Conflict, DoorKey, Failure, GivenAccess, GivenGrant,
    InvitationState, Permission, PermissionSet, Reach, Secret, Terms, Timestamp,
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use store::{
    ActivityFilter, Answer, AnswerFacts, AskedMember, Behind, DoorMember, Grant, Holding, Joiner,
    KeyedThings, MemberName, NewActivity, NewLink, NewUser, NewWaiting, ProvidersMemberDone,
    ProvidersMemberFacts, ProvidersMemberStep, Store, ThingKeys,
};
use test_database::{TestDatabase, apply, on_both};
use uuid::Uuid;

use crate::areas::service;
use crate::story::{
    Bakery, account, at, at_once, change, email, entry, grant, granted, mail, offer, token, user,
};

fn named(text: &str) -> MemberName {
    MemberName::Ref(text.parse().unwrap())
}

fn asked(name: &MemberName) -> AskedMember {
    AskedMember::named(name.clone())
}

fn row(kind: ActivityKind) -> NewActivity {
    NewActivity::by_provider(kind)
}

fn terms(permissions: &[Permission]) -> Terms {
    Terms::whole(permissions.iter().copied().collect::<PermissionSet>())
}

/// Takes a step that needs no things; `None` refuses.
async fn step(
    bakery: &Bakery,
    name: &MemberName,
    write: bool,
    decide: impl FnOnce(&ProvidersMemberFacts) -> Option<ProvidersMemberStep> + Send,
) -> Result<Result<ProvidersMemberDone, ()>, Failure> {
    let want = |_: &ProvidersMemberFacts| Ok(((), ThingKeys::default()));
    let decide = |facts: &ProvidersMemberFacts, (): (), _: &KeyedThings| decide(facts).ok_or(());
    let asked = asked(name);
    bakery.store.change_member_by_provider(bakery.id, &asked, write, at(5), want, decide).await
}

fn hold(grants: Vec<Grant>) -> ProvidersMemberStep {
    let mails = vec![mail("bjorn@example.com")];
    ProvidersMemberStep::Hold(grants, row(ActivityKind::PermissionsChanged), mails)
}

/// What the product decides: somebody owns the account afterwards.
fn end(facts: &ProvidersMemberFacts) -> Option<ProvidersMemberStep> {
    let kind = ActivityKind::OwnerRemovedByProvider;
    (facts.other_owners > 0).then(|| ProvidersMemberStep::End(row(kind), Vec::new()))
}

async fn kinds(bakery: &Bakery) -> Vec<ActivityKind> {
    let rows = bakery.store.activity(bakery.id, &ActivityFilter::default(), 99).await.unwrap();
    rows.into_iter().map(|row| row.entry.kind).collect()
}

#[apply(on_both!)]
async fn what_the_provider_gives_is_held_and_logged_or_none_of_it(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let pay = granted(&[Permission::BillingPay]);
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", pay.clone()).await;
    let given = grant(terms(&[Permission::SupportView]));
    let (name, before) = (named("BJORN@example.com"), kinds(&bakery).await.len());
    // Found out, and refused: nothing is written.
    let done = step(&bakery, &name, false, |_| Some(hold(vec![given.clone()]))).await.unwrap();
    let done = done.unwrap();
    let held = |kept: &Option<store::KeptMember>| kept.as_ref().unwrap().holding.access();
    assert_eq!(held(&done.before), pay);
    assert_eq!(held(&done.after), granted(&[Permission::SupportView]));
    assert!(step(&bakery, &name, true, |_| None).await.unwrap().is_err());
    assert_eq!((bakery.access(bjorn).await, kinds(&bakery).await.len()), (pay, before));

    let name = MemberName::Id(bjorn);
    let done = step(&bakery, &name, true, |_| Some(hold(vec![given.clone()]))).await.unwrap();
    let after = done.unwrap().after.unwrap();
    assert_eq!(after.holding, Holding::Granted(vec![given]));
    assert_eq!(bakery.access(bjorn).await, granted(&[Permission::SupportView]));
    assert_eq!(kinds(&bakery).await[0], ActivityKind::PermissionsChanged);

    let ended =
        |_: &_| Some(ProvidersMemberStep::End(row(ActivityKind::AccessRemoved), Vec::new()));
    let done = step(&bakery, &name, true, ended).await.unwrap().unwrap();
    assert!(done.before.is_some() && done.after.is_none());
    assert!(db.store.member(bakery.id, bjorn).await.unwrap().is_none());
    // Who is named and isn't there is told apart from nobody by nothing.
    for name in [name, named("bjorn@example.com"), named("nobody@example.com")] {
        let done = step(&bakery, &name, true, |facts| {
            assert!(facts.kept.is_none());
            None
        });
        assert!(done.await.unwrap().is_err());
    }
}

#[apply(on_both!)]
async fn things_are_named_by_both_ids_and_within_their_account(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (agency, _) = account(&db.store, "Agency").await;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[Permission::BillingPay])).await;
    let (own, other) = (service("Own"), service("Other"));
    db.store.add_service(bakery.id, &own).await.unwrap();
    db.store.add_service(agency, &other).await.unwrap();
    let odd: DoorKey = "o\"d'd\u{202e}".parse().unwrap();
    let keys = ThingKeys {
        services: [DoorKey::Id(own.id), DoorKey::Id(other.id), odd.clone()].into(),
        ..ThingKeys::default()
    };
    let want = |_: &ProvidersMemberFacts| Ok::<_, ()>(((), keys));
    let decide = |_: &ProvidersMemberFacts, (): (), things: &KeyedThings| {
        let services = model::Area::Services;
        assert_eq!(things.find(services, &DoorKey::Id(own.id)), Some(own.id));
        assert_eq!(things.find(services, &DoorKey::Id(other.id)), None);
        assert_eq!(things.find(services, &odd), None);
        assert_eq!(things.find(model::Area::Domains, &DoorKey::Id(own.id)), None);
        let reach = Reach::of(false, [own.id]);
        let terms = Terms { services: reach, ..terms(&[Permission::ServicesView]) };
        Ok(hold(vec![grant(terms)]))
    };
    let name = named("bjorn@example.com");
    let asked = asked(&name);
    let done = db.store.change_member_by_provider(bakery.id, &asked, true, at(5), want, decide);
    let done = done.await.unwrap().unwrap();
    let services = model::Area::Services;
    assert_eq!(done.things.name(services, own.id), DoorKey::Id(own.id));
    let found = db.store.member_at_door(bakery.id, &name, at(6)).await.unwrap();
    let Some((DoorMember::Kept(kept), things)) = found else { panic!("{found:?}") };
    assert_eq!(kept.member.user, bjorn);
    assert_eq!(things.find(services, &DoorKey::Id(own.id)), Some(own.id));
}

/// What is told of somebody in the list.
fn told(member: &DoorMember) -> String {
    match member {
        DoorMember::Kept(kept) => kept.member.full_name.clone(),
        DoorMember::Waiting(waiting) => format!("{} waits", waiting.email),
    }
}

async fn since(store: &Store, account: AccountId, moment: Timestamp) -> (Vec<String>, Timestamp) {
    let page = store.members_at_door(account, Behind::since(moment), 99, at(9)).await.unwrap();
    (page.rows.iter().map(|(_, member)| told(member)).collect(), page.as_of)
}

/// What waits for somebody whom the provider calls so.
fn waiting(access: Access, called: &str, number: u8) -> ProvidersMemberStep {
    let waiting = NewWaiting {
        offered: GivenAccess::new(access, ""),
        full_name: called.to_owned(),
        token_hash: token(number),
        entry: Some(row(ActivityKind::InvitationSent)),
    };
    ProvidersMemberStep::Wait(waiting, Vec::new())
}

/// Has something wait for an address, under a ref.
async fn wait(bakery: &Bakery, reference: &str, address: &str, access: Access) {
    let asked = AskedMember { email: Some(email(address)), ..asked(&named(reference)) };
    let want = |_: &ProvidersMemberFacts| Ok::<_, ()>(((), ThingKeys::default()));
    let decide = |_: &ProvidersMemberFacts, (): (), _: &KeyedThings| {
        Ok(waiting(access, "Kari from sales", 70))
    };
    let done = bakery.store.change_member_by_provider(bakery.id, &asked, true, at(5), want, decide);
    done.await.unwrap().unwrap();
}

#[apply(on_both!)]
async fn users_and_who_waits_are_listed_in_the_order_of_changes(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for number in 0..4 {
        let (name, address) = (format!("Person {number}"), format!("p{number}@example.com"));
        bakery.with(&name, &address, granted(&[Permission::BillingView])).await;
    }
    user(&db.store, "Kari Nordmann", "kari@example.com").await;
    wait(&bakery, "crm/1", "kari@example.com", granted(&[Permission::BillingView])).await;
    wait(&bakery, "crm/2", "ola@example.com", Access::Owner).await;
    // Whoever is invited by mail isn't there yet.
    bakery.invite("mei@example.com", 7).await;
    let (mut found, mut behind) = (Vec::new(), Behind::since(Timestamp::from_micros(0)));
    loop {
        let page = db.store.members_at_door(bakery.id, behind, 2, at(9)).await.unwrap();
        let Some((last, _)) = page.rows.last() else { break };
        behind = *last;
        found.extend(page.rows.iter().map(|(_, member)| told(member)));
    }
    assert_eq!(found[1..5], ["Person 0", "Person 1", "Person 2", "Person 3"]);
    assert_eq!(found[5..], ["kari@example.com waits", "ola@example.com waits"]);

    let (_, as_of) = since(&db.store, bakery.id, Timestamp::from_micros(0)).await;
    assert_eq!(since(&db.store, bakery.id, as_of).await.0, [""; 0]);
    let (agency, _) = account(&db.store, "Agency").await;
    assert_eq!(since(&db.store, agency, Timestamp::from_micros(0)).await.0, [""; 0]);
}

#[apply(on_both!)]
async fn a_member_changes_with_all_that_is_told_of_them(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (store, id) = (&db.store, bakery.id);
    let pay = granted(&[Permission::BillingPay]);
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", pay).await;
    let shop = service("Shop");
    store.add_service(id, &shop).await.unwrap();
    let reach = Reach::of(false, [shop.id]);
    let reaching = Terms { services: reach.clone(), ..terms(&[Permission::ServicesView]) };
    let name = named("bjorn@example.com");
    let mut as_of = since(store, id, Timestamp::from_micros(0)).await.1;

    // Being there is no change.
    run(&db, "UPDATE memberships SET last_active_at = 7").await;
    assert_eq!(since(store, id, as_of).await.0, [""; 0]);

    let given = grant(reaching.clone());
    let why = Grant { why: "For the shop".to_owned(), ..given.clone() };
    for grants in [vec![given], vec![why]] {
        let done = step(&bakery, &name, true, |_| Some(hold(grants))).await.unwrap();
        assert!(done.is_ok());
        let (found, now) = since(store, id, as_of).await;
        assert_eq!(found, ["Bjørn"]);
        as_of = now;
    }
    let renamed = full_name("Bjørn Lie");
    store.change_profile(bjorn, &renamed, None, None, at(6)).await.unwrap();
    let (found, now) = since(store, id, as_of).await;
    assert_eq!(found, ["Bjørn Lie"]);
    // What somebody waits for, too.
    wait(&bakery, "crm/1", "kari@example.com", std::iter::once(reaching).collect()).await;
    let (found, now) = {
        let (found, _) = since(store, id, now).await;
        assert_eq!(found, ["kari@example.com waits"]);
        since(store, id, Timestamp::from_micros(0)).await
    };
    assert_eq!(found.last().unwrap(), "kari@example.com waits");

    // A service that goes leaves the reaches of both.
    let asked = [store::Asked { key: DoorKey::Id(shop.id), account: None }];
    let remove = |_: usize, _: Option<&store::Kept<store::DoorService>>, _: Option<&_>| {
        let (step, id) = (store::Step::Remove, Uuid::new_v4());
        Ok::<_, ()>(store::Decided { step, id, entries: Vec::new(), owner: None })
    };
    store.change_services_at_door(&asked, true, at(7), remove).await.unwrap();
    let mut found = since(store, id, now).await.0;
    found.sort();
    assert_eq!(found, ["Bjørn Lie", "kari@example.com waits"]);
}

#[apply(on_both!)]
async fn whoever_reads_on_misses_no_member_of_a_transaction_that_is_slow_to_commit(
    db: TestDatabase,
) {
    let bakery = Bakery::new(&db.store).await;
    bakery.with("Bjørn", "bjorn@example.com", granted(&[Permission::BillingPay])).await;
    let begun = since(&db.store, bakery.id, Timestamp::from_micros(0)).await.1;
    let id = Uuid::from(bakery.id).simple();
    let is_sqlite = db.url.starts_with("sqlite:");
    let account = if is_sqlite { format!("x'{id}'") } else { format!("'{id}'") };
    let pause = AssertSqlSafe(format!(
        "UPDATE memberships SET paused_at = 7 WHERE account_id = {account} AND NOT owner"
    ));
    // By another process, whatever it is.
    let seen_meanwhile;
    if is_sqlite {
        let mut slow = SqliteConnection::connect(&db.url).await.unwrap();
        slow.execute("BEGIN IMMEDIATE").await.unwrap();
        slow.execute(pause).await.unwrap();
        seen_meanwhile = since(&db.store, bakery.id, begun).await;
        assert_eq!(seen_meanwhile.0, [""; 0]);
        slow.execute("COMMIT").await.unwrap();
    } else {
        let mut slow = PgConnection::connect(&db.url).await.unwrap();
        slow.execute("BEGIN").await.unwrap();
        slow.execute(pause).await.unwrap();
        bakery.with("Quick", "quick@example.com", granted(&[Permission::BillingPay])).await;
        seen_meanwhile = since(&db.store, bakery.id, begun).await;
        assert_eq!(seen_meanwhile.0, ["Quick"]);
        slow.execute("COMMIT").await.unwrap();
    }
    assert_eq!(since(&db.store, bakery.id, seen_meanwhile.1).await.0, ["Bjørn"]);
}

#[apply(on_both!)]
async fn an_id_of_the_providers_is_one_persons_in_an_account(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let store = &db.store;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[Permission::BillingPay])).await;
    wait(&bakery, "crm/1", "kari@example.com", granted(&[Permission::BillingView])).await;
    let leave = |asked: AskedMember, taken: bool| async move {
        let want = |_: &ProvidersMemberFacts| Ok::<_, ()>(((), ThingKeys::default()));
        let decide = |facts: &ProvidersMemberFacts, (): (), _: &KeyedThings| {
            assert_eq!(facts.is_taken, taken);
            if taken { Err(()) } else { Ok(ProvidersMemberStep::Leave) }
        };
        let done = store.change_member_by_provider(bakery.id, &asked, true, at(6), want, decide);
        done.await.unwrap()
    };
    let by_address = |reference: &str| AskedMember {
        reference: Some(reference.parse().unwrap()),
        ..asked(&named("bjorn@example.com"))
    };
    assert!(leave(by_address("crm/1"), true).await.is_err());
    let done = leave(by_address("crm/2"), false).await.unwrap();
    assert_eq!(done.after.unwrap().reference.unwrap().as_str(), "crm/2");
    // It stays, whatever is asked for next.
    let done = leave(by_address("crm/3"), false).await.unwrap();
    assert_eq!(done.after.unwrap().reference.unwrap().as_str(), "crm/2");
    let found = store.member_at_door(bakery.id, &named("crm/2"), at(7)).await.unwrap();
    assert!(matches!(found, Some((DoorMember::Kept(kept), _)) if kept.member.user == bjorn));
    let found = store.member_at_door(bakery.id, &named("crm/1"), at(7)).await.unwrap();
    assert!(matches!(found, Some((DoorMember::Waiting(_), _))));
    let (agency, _) = account(store, "Agency").await;
    assert!(store.member_at_door(agency, &named("crm/1"), at(7)).await.unwrap().is_none());
}

/// As another process does.
async fn run(db: &TestDatabase, statement: &'static str) {
    if db.url.starts_with("sqlite:") {
        SqliteConnection::connect(&db.url).await.unwrap().execute(statement).await.unwrap();
    } else {
        PgConnection::connect(&db.url).await.unwrap().execute(statement).await.unwrap();
    }
}

fn full_name(name: &str) -> model::FullName {
    model::FullName::parse(name).unwrap()
}

fn link(number: u8) -> NewLink {
    NewLink { token_hash: token(number), expires_at: at(1800) }
}

#[apply(on_both!)]
async fn what_waits_has_no_end_and_goes_to_whoever_claims_it(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let store = &db.store;
    let kari = email("kari@example.com");
    let pay = granted(&[Permission::BillingPay]);
    let years = at(0).after(std::time::Duration::from_secs(20 * 365 * 24 * 60 * 60));
    // Whoever was invited before is no part of this.
    store.note_expired_invitations(9, years).await.unwrap();
    wait(&bakery, "crm/1", "kari@example.com", pay.clone()).await;
    let found = store.waiting_for(&kari, 9, years).await.unwrap().remove(0);
    assert_eq!(found.invitation.state, InvitationState::Pending);
    assert_eq!(
        (found.account, found.invitation.full_name.as_str()),
        (bakery.id, "Kari from sales")
    );
    // No mail tells of it, and nothing tells that it ran out.
    assert!(store.kept_mails(9).await.unwrap().is_empty());
    assert_eq!(store.note_expired_invitations(9, years).await, Ok(0));
    // Nobody has the token that it was made with.
    assert!(store.open_invitation(&token(70), at(6)).await.unwrap().is_none());

    let id = found.invitation.id;
    store.issue_link(id, &link(71), None, at(7)).await.unwrap();
    store.issue_link(id, &link(72), Some(mail("kari@example.com")), at(8)).await.unwrap();
    let opened = |number| async move { store.open_invitation(&token(number), at(8)).await };
    let (first, second) = (opened(71).await.unwrap().unwrap(), opened(72).await.unwrap().unwrap());
    assert_eq!((first.replaced, first.link_until), (true, Some(at(8))));
    assert_eq!((second.replaced, second.link_until), (false, Some(at(1800))));
    assert!(second.by_mail && second.login.is_none());
    // What it offers may change meanwhile: the link stays.
    wait(&bakery, "crm/1", "kari@example.com", Access::Owner).await;
    wait(&bakery, "crm/1", "kari@example.com", pay.clone()).await;
    assert!(!opened(72).await.unwrap().unwrap().replaced);

    claim(store, 72, "kari@example.com").await.unwrap();
    let found = store.member_at_door(bakery.id, &named("crm/1"), at(10)).await.unwrap();
    let Some((DoorMember::Kept(kept), _)) = found else { panic!("{found:?}") };
    assert_eq!((kept.member.email, kept.holding.access()), (kari.clone(), pay));
    assert!(store.waiting_for(&kari, 9, at(10)).await.unwrap().is_empty());
    assert_eq!(store.issue_link(id, &link(73), None, at(10)).await, Err(Failure::NotFound));
}

#[apply(on_both!)]
async fn an_invitation_that_is_made_to_wait_leaves_no_link_behind(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let store = &db.store;
    let id = bakery.invite("kari@example.com", 7).await;
    wait(&bakery, "crm/1", "kari@example.com", Access::Owner).await;
    let opened = store.open_invitation(&token(7), at(6)).await.unwrap().unwrap();
    assert_eq!((opened.invitation.id, opened.replaced, opened.link_until), (id, true, None));
    assert_eq!((opened.invitation.inviter, opened.invitation.waits), (None, true));
    // And the other way round: what waited is an invitation like any other, and the person the same.
    let decide = |_: &ProvidersMemberFacts| {
        Some(ProvidersMemberStep::Offer(offer(8, Access::Owner), "Kari".to_owned(), Vec::new()))
    };
    let done = step(&bakery, &named("crm/1"), true, decide).await.unwrap().unwrap();
    let invited = done.invited.unwrap();
    assert_eq!((invited.id, invited.waits, invited.full_name.as_str()), (id, false, "Kari"));
    assert_eq!(invited.reference.unwrap().as_str(), "crm/1");
    assert!(store.waiting_for(&email("kari@example.com"), 9, at(6)).await.unwrap().is_empty());
}

#[apply(on_both!)]
async fn of_two_who_claim_at_once_one_does_and_taken_back_it_is_nobodys(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let store = &db.store;
    let pay = granted(&[Permission::BillingPay]);
    for round in 0..5 {
        let address = format!("kari{round}@example.com");
        let reference = format!("crm/{round}");
        wait(&bakery, &reference, &address, pay.clone()).await;
        let found = store.waiting_for(&email(&address), 9, at(6)).await.unwrap().remove(0);
        let number = 100 + round;
        store.issue_link(found.invitation.id, &link(number), None, at(7)).await.unwrap();
        let name = named(&reference);
        let taken_back = step(&bakery, &name, true, |facts| {
            facts
                .waiting()
                .map(|_| ProvidersMemberStep::TakeBack(row(ActivityKind::InvitationCancelled)))
        });
        let claimed = at_once(2, |_| {
            let (store, address) = (store.clone(), address.clone());
            async move { claim(&store, number, &address).await.is_ok() }
        });
        let (taken_back, claimed) = tokio::join!(taken_back, claimed);
        let taken_back = usize::from(taken_back.unwrap().is_ok());
        let claimed = claimed.into_iter().filter(|claimed| *claimed).count();
        assert_eq!(taken_back + claimed, 1, "{round}");
        let found = store.member_at_door(bakery.id, &name, at(9)).await.unwrap();
        assert_eq!(found.is_some(), claimed == 1);
    }
}

/// Joins by the link with this token, with a new login of this address.
async fn claim(store: &Store, number: u8, address: &str) -> Result<(), Failure> {
    let decide = |facts: &AnswerFacts| {
        let invitation = &facts.opened.invitation;
        let InvitationState::Pending = invitation.state else {
            return Err(Failure::Conflict(Conflict::Invitation(invitation.state)));
        };
        let user = NewUser {
            id: Uuid::new_v4().into(),
            email: email(address),
            full_name: full_name("Kari Nordmann"),
            password_hash: Secret::from("$hash".to_owned()),
            language: None,
        };
        let (joiner, given) = (Joiner::New(user), invitation.offered.clone());
        let entry = entry(ActivityKind::InvitationAccepted);
        Ok(Answer::Accept { joiner, given, owner: None, session: None, entry, mail: None })
    };
    store.answer_invitation(&token(number), at(9), decide).await.map(drop)
}

#[apply(on_both!)]
async fn several_grants_wait_with_a_reason_and_an_end_each(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (shop, other) = (service("Shop"), service("Other"));
    for service in [&shop, &other] {
        db.store.add_service(bakery.id, service).await.unwrap();
    }
    let on = |ids: &[Uuid]| Terms {
        services: Reach::of(false, ids.iter().copied()),
        until: Some(at(70)),
        ..terms(&[Permission::ServicesView])
    };
    // A thing that isn't the account's is reached by none.
    let strange = Uuid::new_v4();
    let given = |terms: Terms, why: &str| GivenGrant { terms, why: why.to_owned() };
    let bills = Terms { until: Some(at(90)), ..terms(&[Permission::BillingView]) };
    let offered: GivenAccess = [
        given(on(&[shop.id, other.id]), "Relaunch"),
        given(on(&[strange]), "Nothing"),
        given(on(&[other.id, strange]), ""),
        given(bills.clone(), "Invoices"),
    ]
    .into_iter()
    .collect();
    let left: GivenAccess = [
        given(on(&[shop.id, other.id]), "Relaunch"),
        given(on(&[other.id]), ""),
        given(bills, "Invoices"),
    ]
    .into_iter()
    .collect();
    let name = named("kari@example.com");
    let wait = |offered: GivenAccess| {
        let full_name = String::new();
        let entry = Some(row(ActivityKind::InvitationSent));
        let waiting = NewWaiting { offered, full_name, token_hash: token(70), entry };
        move |_: &ProvidersMemberFacts| Some(ProvidersMemberStep::Wait(waiting, Vec::new()))
    };
    let done = step(&bakery, &name, true, wait(offered.clone())).await.unwrap().unwrap();
    assert_eq!(done.invited.unwrap().offered, left);
    // It waits until the last of them ends.
    let kari = email("kari@example.com");
    let found = async |seconds| db.store.waiting_for(&kari, 9, at(seconds)).await.unwrap();
    assert_eq!(found(89).await[0].invitation.offered, left);
    assert!(found(90).await.is_empty());
    let told = db.store.invitations_received(&kari, Uuid::nil(), 9, at(6)).await.unwrap();
    let together = [Permission::ServicesView, Permission::BillingView].into_iter().collect();
    assert_eq!((told[0].permissions, told[0].until), (together, Some(at(90))));

    // One takes the place of all of them, and the other way round.
    let one = GivenAccess::new(granted(&[Permission::SupportView]), "Help");
    for offered in [&one, &left, &one] {
        let done = step(&bakery, &name, true, wait(offered.clone())).await.unwrap().unwrap();
        assert_eq!(done.invited.unwrap().offered, *offered);
    }
}

#[apply(on_both!)]
async fn an_offer_takes_the_place_of_what_is_open_and_is_taken_back(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let id = bakery.invite("kari@example.com", 7).await;
    let name = named("kari@example.com");
    let offered = offer(8, granted(&[Permission::SupportView]));
    let decide = |facts: &ProvidersMemberFacts| {
        assert_eq!(facts.pending.as_ref().unwrap().id, id);
        Some(ProvidersMemberStep::Offer(offered, String::new(), Vec::new()))
    };
    let done = step(&bakery, &name, true, decide).await.unwrap().unwrap();
    let invited = done.invited.unwrap();
    assert_eq!((invited.id, invited.inviter), (id, None));
    assert_eq!(done.invited_before.unwrap().inviter, Some(bakery.ingrid));
    let replaced = db.store.open_invitation(&token(7), at(6)).await.unwrap().unwrap();
    assert!(replaced.replaced);

    let cancelled = |_: &_| Ok::<_, ()>(row(ActivityKind::InvitationCancelled));
    let stays = |_: &_| Err(());
    let refused = db.store.cancel_invitation_by_provider(bakery.id, id, true, at(7), stays);
    assert!(refused.await.unwrap().is_err());
    for write in [false, true] {
        let store = &db.store;
        let done =
            store.cancel_invitation_by_provider(bakery.id, id, write, at(7), cancelled).await;
        assert!(done.unwrap().is_ok());
        let opened = store.open_invitation(&token(8), at(7)).await.unwrap().unwrap();
        let expected = if write { InvitationState::Cancelled } else { InvitationState::Pending };
        assert_eq!(opened.invitation.state, expected);
    }
    let again = db.store.cancel_invitation_by_provider(bakery.id, id, true, at(8), cancelled);
    assert_eq!(again.await.map(drop), Err(Failure::NotFound));
    let (agency, _) = account(&db.store, "Agency").await;
    let other = bakery.invite("ola@example.com", 9).await;
    let elsewhere = db.store.cancel_invitation_by_provider(agency, other, true, at(8), cancelled);
    assert_eq!(elsewhere.await.map(drop), Err(Failure::NotFound));
}

#[apply(on_both!)]
async fn fifty_owners_taken_out_at_once_leave_one(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for number in 0..50 {
        let address = format!("owner{number}@example.com");
        bakery.with(&format!("Owner {number}"), &address, Access::Owner).await;
    }
    let (store, id) = (&db.store, bakery.id);
    let ended = at_once(51, |number| {
        let store: Store = store.clone();
        async move {
            let name = match number {
                50 => named("ingrid@example.com"),
                number => named(&format!("owner{number}@example.com")),
            };
            let want = |_: &ProvidersMemberFacts| Ok(((), ThingKeys::default()));
            let decide =
                |facts: &ProvidersMemberFacts, (): (), _: &KeyedThings| end(facts).ok_or(());
            let asked = asked(&name);
            let done = store.change_member_by_provider(id, &asked, true, at(5), want, decide);
            done.await.unwrap().is_ok()
        }
    })
    .await;
    assert_eq!(ended.into_iter().filter(|ended| *ended).count(), 50);
    assert_eq!(db.store.owners(bakery.id, 99).await.unwrap().len(), 1);
}

#[apply(on_both!)]
async fn the_provider_and_somebody_in_the_account_change_one_after_the_other(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[Permission::BillingPay])).await;
    let (store, id, ingrid) = (&db.store, bakery.id, bakery.ingrid);
    // Each gives one permission besides those that it finds.
    let given = at_once(10, |number| {
        let store: Store = store.clone();
        async move {
            let more = grant(terms(&[Permission::SupportView]));
            if number % 2 == 0 {
                let want = |_: &ProvidersMemberFacts| Ok::<_, ()>(((), ThingKeys::default()));
                let decide = |facts: &ProvidersMemberFacts, (): (), _: &KeyedThings| {
                    let held = facts.kept.as_ref().unwrap().holding.grants().to_vec();
                    Ok(hold([held, vec![more]].concat()))
                };
                let name = asked(&MemberName::Id(bjorn));
                let done = store.change_member_by_provider(id, &name, true, at(5), want, decide);
                done.await.unwrap().is_ok()
            } else {
                let decide = |facts: &store::ChangeFacts| {
                    let held = facts.holding.grants().to_vec();
                    let holding = Some(Holding::Granted([held, vec![more]].concat()));
                    Ok(Some(store::MembershipChange { holding, ..change(None) }))
                };
                store.change_membership(id, ingrid, bjorn, at(5), decide).await.is_ok()
            }
        }
    })
    .await;
    assert!(given.iter().all(|given| *given));
    let holding = db.store.holding(id, bjorn, false).await.unwrap();
    assert_eq!(holding.grants().len(), 11);
}
