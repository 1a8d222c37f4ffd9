use model::{
    Access, AccountId, Conflict, EmailDomain, Failure, Identity, Permission, PolicyRule, SessionId,
    UserId,
};
use store::{
    AccountMembership, FactorProof, IdentityOffer, PolicyChange, PolicyFacts, Provider,
    SingleSignOnStep, Store, Viewer, Vouched,
};
use test_database::{TestDatabase, apply, on_both};

use crate::emails::{ask, confirm, undo, with_app};
use crate::story::{
    Bakery, DAY, account, at, at_once, change, email, entry, first_password, granted, mail,
    new_session, secret, token, user,
};

const KARI: &str = "kari@bakery.example";

fn domain(text: &str) -> EmailDomain {
    EmailDomain::parse(text).unwrap()
}

fn identity() -> Identity {
    Identity::parse("https://id.example", "1").unwrap()
}

fn provider(issuer: &str, client_secret: &str) -> SingleSignOnStep {
    SingleSignOnStep::SetProvider {
        issuer: issuer.to_owned(),
        client_id: "latchkey".to_owned(),
        client_secret: secret(client_secret),
    }
}

async fn take(
    store: &Store,
    account: AccountId,
    actor: UserId,
    step: SingleSignOnStep,
) -> Result<(), Failure> {
    let decide = |facts: &PolicyFacts| {
        Ok(Some(PolicyChange {
            policy: facts.policy.clone(),
            single_sign_on: Some(step),
            entry: None,
            mails: Vec::new(),
            bounds: Vec::new(),
            reminders: None,
        }))
    };
    store.change_policy(account, actor, at(0), decide).await
}

/// The user's login gets another address by the link with this number, in the first session.
async fn move_to(store: &Store, user: UserId, address: &str, number: u8) {
    ask(store, user, address, number).await;
    confirm(store, user, number, 12).await.unwrap();
}

/// A bakery with a proven domain and a provider, and Kari, whom that vouches for.
struct Story {
    bakery: Bakery,
    kari: UserId,
}

impl Story {
    async fn new(store: &Store) -> Self {
        let bakery = Bakery::new(store).await;
        let kari = bakery.with("Kari", KARI, granted(&[Permission::BillingView])).await;
        let story = Self { bakery, kari };
        story.prove("bakery.example").await;
        story.take(provider("https://id.example", "$one")).await.unwrap();
        story
    }

    async fn take(&self, step: SingleSignOnStep) -> Result<(), Failure> {
        take(&self.bakery.store, self.bakery.id, self.bakery.ingrid, step).await
    }

    /// Kari links her identity in the session with this number.
    async fn link(&self, session: u8) -> Result<(), Failure> {
        let (store, account) = (&self.bakery.store, Some(self.bakery.id));
        let offer = IdentityOffer { account, identity: identity(), email: email(KARI) };
        store.offer_identity(&token(70), &offer, at(600)).await.unwrap();
        let here = token(session);
        store.link_identity(&token(70), self.kari, &here, false, &mail(KARI), at(1)).await
    }

    /// The identity begins a session with this number.
    async fn sign_in(&self, session: u8) -> Result<(), Failure> {
        let (store, session) = (&self.bakery.store, new_session(session));
        let account = Some(self.bakery.id);
        store
            .begin_session_by_identity(
                account,
                &identity(),
                self.kari,
                &session,
                at(2),
                None,
                at(2),
            )
            .await
    }

    /// The account whose provider vouched for the session with this number.
    async fn vouched_for(&self, number: u8) -> Option<AccountId> {
        self.session(number).await.and_then(|session| session.vouched).map(|by| by.account)
    }

    async fn session(&self, number: u8) -> Option<Viewer> {
        let store = &self.bakery.store;
        store.session(&token(number), DAY, DAY, at(3)).await.unwrap()
    }

    /// Kari's login gets another address by the link with this number.
    async fn move_to(&self, address: &str, number: u8) {
        move_to(&self.bakery.store, self.kari, address, number).await;
    }

    async fn membership(&self, user: UserId) -> AccountMembership {
        let Bakery { store, number, .. } = &self.bakery;
        store.membership(user, *number, None, at(0)).await.unwrap().unwrap()
    }

    async fn is_required_of(&self, user: UserId) -> bool {
        let membership = self.membership(user).await;
        membership.single_sign_on || membership.gave_address_up
    }

    /// Kari requires it, in the first session, which began by it.
    async fn require(&self) {
        self.bakery.store.begin_session(self.kari, &new_session(1), None, at(0)).await.unwrap();
        self.link(1).await.unwrap();
        self.require_again().await;
    }

    async fn require_again(&self) {
        let session = self.session(1).await.unwrap().session;
        self.take(SingleSignOnStep::Require(session)).await.unwrap();
    }

    async fn prove(&self, name: &str) {
        let claimed = SingleSignOnStep::AddDomain(domain(name), "x".to_owned());
        self.take(claimed).await.unwrap();
        self.take(SingleSignOnStep::ProveDomain(domain(name))).await.unwrap();
    }
}

#[apply(on_both!)]
async fn a_domain_is_proven_for_one_account_alone(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mut claims = vec![(bakery.id, bakery.ingrid)];
    for number in 0..9_u8 {
        let (id, _) = account(&db.store, "Another").await;
        let owner = user(&db.store, "Owner", &format!("owner{number}@example.com")).await;
        db.store.add_member(id, owner, Access::Owner, at(0)).await.unwrap();
        claims.push((id, owner));
    }
    for (id, owner) in &claims {
        let claimed = SingleSignOnStep::AddDomain(domain("a.example"), format!("{id:?}"));
        take(&db.store, *id, *owner, claimed).await.unwrap();
    }
    assert!(db.store.provider_of_domain(&domain("a.example")).await.unwrap().is_none());
    let proven = at_once(10, |number| {
        let (store, (id, owner)) = (db.store.clone(), claims[usize::from(number)]);
        async move {
            let step = SingleSignOnStep::ProveDomain(domain("a.example"));
            take(&store, id, owner, step).await
        }
    });
    let proven = proven.await;
    assert_eq!(proven.iter().filter(|one| one.is_ok()).count(), 1);
    let taken = Err(Failure::Conflict(Conflict::DomainTaken));
    assert_eq!(proven.iter().filter(|one| **one == taken).count(), 9);
}

#[apply(on_both!)]
async fn a_domain_that_is_added_again_keeps_its_token(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for text in ["first", "second"] {
        let step = SingleSignOnStep::AddDomain(domain("a.example"), text.to_owned());
        take(&db.store, bakery.id, bakery.ingrid, step).await.unwrap();
    }
    let found = db.store.single_sign_on(bakery.id).await.unwrap();
    assert_eq!((found.domains.len(), &*found.domains[0].token), (1, "first"));
    assert!(found.proven().is_empty() && !found.is_required());
    assert!(!db.store.has_single_sign_on().await.unwrap());
}

#[apply(on_both!)]
async fn an_identity_vouches_in_a_session_and_begins_others(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    assert!(db.store.has_single_sign_on().await.unwrap());
    let found = db.store.provider_of_domain(&domain("bakery.example")).await.unwrap().unwrap();
    assert_eq!((found.account, found.number), (story.bakery.id, story.bakery.number));
    db.store.begin_session(story.kari, &new_session(1), None, at(0)).await.unwrap();
    assert_eq!(story.sign_in(2).await, Err(Failure::Conflict(Conflict::SignInOver)));
    story.link(1).await.unwrap();
    let here = Vouched { account: story.bakery.id, number: story.bakery.number, at: at(1) };
    let own = story.session(1).await.unwrap();
    assert_eq!((own.proven, own.vouched), (true, Some(here)));

    story.sign_in(2).await.unwrap();
    let vouched = story.session(2).await.unwrap();
    assert_eq!((vouched.proven, vouched.vouched), (false, Some(Vouched { at: at(2), ..here })));
    let whose = async |account| db.store.user_of_identity(account, &identity()).await.unwrap();
    assert_eq!(whose(Some(story.bakery.id)).await, Some(story.kari));
    assert_eq!(whose(None).await, None, "the operator's provider is another one");
    assert!(db.store.confirm_session(&token(2), &first_password(), at(3)).await.unwrap());
    assert!(story.session(2).await.unwrap().proven);
}

#[apply(on_both!)]
async fn what_an_identity_hangs_on_ends_what_began_by_it(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    db.store.begin_session(story.kari, &new_session(1), None, at(0)).await.unwrap();
    story.link(1).await.unwrap();
    story.sign_in(2).await.unwrap();
    let way = Provider::Accounts(story.bakery.id);
    db.store.begin_identity_sign_in(&token(60), &way, at(600)).await.unwrap();
    // Another secret of the same provider ends nothing.
    story.take(provider("https://id.example", "$two")).await.unwrap();
    assert!(story.session(2).await.is_some());
    assert!(db.store.identity_sign_in(&token(60), at(3)).await.unwrap().is_some());
    story.take(provider("https://other.example", "$two")).await.unwrap();
    assert!(story.session(2).await.is_none());
    assert!(db.store.identity_sign_in(&token(60), at(3)).await.unwrap().is_none());
    assert!(story.session(1).await.unwrap().proven);
    assert_eq!(story.vouched_for(1).await, None);
    // A dead session isn't among the devices, and is swept.
    let devices = db.store.signed_in_devices(story.kari, &token(1), DAY, DAY, at(3)).await;
    assert_eq!(devices.unwrap().len(), 1);
    assert_eq!(db.store.sweep(DAY, DAY, at(3)).await.unwrap(), 1);
}

#[apply(on_both!)]
async fn a_domain_taken_away_ends_what_hangs_on_it(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    db.store.begin_session(story.kari, &new_session(1), None, at(0)).await.unwrap();
    story.link(1).await.unwrap();
    story.sign_in(2).await.unwrap();
    let session = story.session(1).await.unwrap().session;
    story.take(SingleSignOnStep::Require(session)).await.unwrap();
    let told = std::sync::Mutex::new(Vec::new());
    let tell = |_: &str, _: &[store::Owner], before: &PolicyRule, after: &PolicyRule| {
        told.lock().unwrap().push((before.to_stored(), after.to_stored()));
        (entry(after.kind()), Vec::new())
    };
    assert!(db.store.release_domain(&domain("bakery.example"), at(4), tell).await.unwrap());
    assert!(!db.store.release_domain(&domain("bakery.example"), at(4), tell).await.unwrap());
    let told = told.lock().unwrap().clone();
    let told: Vec<_> = told.iter().map(|(before, after)| (&**before, &**after)).collect();
    assert_eq!(told, [("bakery.example", "-"), ("demanded", "-")]);
    assert!(!story.is_required_of(story.kari).await);
    assert!(story.session(2).await.is_none());
    assert!(story.session(1).await.is_some());
    assert_eq!(story.link(1).await, Err(Failure::Conflict(Conflict::NotInAccount)));
}

#[apply(on_both!)]
async fn it_is_required_by_whoever_it_vouches_for(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    db.store.begin_session(story.kari, &new_session(1), None, at(0)).await.unwrap();
    let session = story.session(1).await.unwrap().session;
    let first = Err(Failure::Conflict(Conflict::SignInFirst));
    assert_eq!(story.take(SingleSignOnStep::Require(session)).await, first);
    story.link(1).await.unwrap();
    let nobody = SessionId::from(uuid::Uuid::nil());
    assert_eq!(story.take(SingleSignOnStep::Require(nobody)).await, first);
    assert!(!story.is_required_of(story.kari).await);
    story.take(SingleSignOnStep::Require(session)).await.unwrap();
    assert!(story.is_required_of(story.kari).await);
    assert!(!story.is_required_of(story.bakery.ingrid).await, "her address is elsewhere");
    let near = story.bakery.with("Near", "near@sub.bakery.example", granted(&[])).await;
    assert!(!story.is_required_of(near).await, "a subdomain is a domain of its own");
    story.take(SingleSignOnStep::Lift).await.unwrap();
    assert!(!story.is_required_of(story.kari).await);
}

#[apply(on_both!)]
async fn nobody_sets_out_or_is_offered_a_link_whose_provider_is_gone(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    story.take(SingleSignOnStep::RemoveProvider).await.unwrap();
    let over = Err(Failure::Conflict(Conflict::SignInOver));
    let way = Provider::Accounts(story.bakery.id);
    assert_eq!(db.store.begin_identity_sign_in(&token(60), &way, at(600)).await, over);
    let account = Some(story.bakery.id);
    let offer = IdentityOffer { account, identity: identity(), email: email(KARI) };
    assert_eq!(db.store.offer_identity(&token(70), &offer, at(600)).await, over);
}

#[apply(on_both!)]
async fn another_address_takes_an_accounts_identity_along(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    db.store.begin_session(story.kari, &new_session(1), None, at(0)).await.unwrap();
    story.link(1).await.unwrap();
    story.move_to("kari@home.example", 50).await;
    assert!(story.session(1).await.unwrap().proven);
    assert_eq!(story.vouched_for(1).await, None);
    assert_eq!(story.sign_in(2).await, Err(Failure::Conflict(Conflict::SignInOver)));
}

#[apply(on_both!)]
async fn another_address_frees_nobody_of_what_is_required(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    story.require().await;
    let membership = story.membership(story.kari).await;
    assert_eq!((membership.single_sign_on, membership.gave_address_up), (true, false));
    story.move_to("kari@home.example", 50).await;
    let membership = story.membership(story.kari).await;
    assert_eq!((membership.single_sign_on, membership.gave_address_up), (false, true));
    story.move_to("kari@elsewhere.example", 52).await;
    assert!(story.is_required_of(story.kari).await, "nor does the next one");
    assert!(!story.is_required_of(story.bakery.ingrid).await);
    story.move_to(KARI, 54).await;
    let membership = story.membership(story.kari).await;
    assert_eq!((membership.single_sign_on, membership.gave_address_up), (true, false));
}

#[apply(on_both!)]
async fn taking_an_address_back_frees_nobody_either(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    let mei = story.bakery.with("Mei", "mei@home.example", granted(&[])).await;
    move_to(&db.store, mei, "mei@bakery.example", 50).await;
    story.require().await;
    assert!(story.is_required_of(mei).await);
    undo(&db.store, 50, 13).await.unwrap().unwrap();
    let membership = story.membership(mei).await;
    assert_eq!((membership.single_sign_on, membership.gave_address_up), (false, true));
}

#[apply(on_both!)]
async fn what_was_lifted_binds_no_earlier_address(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    let mei = story.bakery.with("Mei", "mei@bakery.example", granted(&[])).await;
    story.require().await;
    move_to(&db.store, mei, "mei@home.example", 50).await;
    assert!(story.is_required_of(mei).await);
    story.take(SingleSignOnStep::Lift).await.unwrap();
    assert!(!story.is_required_of(mei).await);
    story.require_again().await;
    assert!(story.is_required_of(story.kari).await);
    assert!(!story.is_required_of(mei).await, "she was let in without it meanwhile");
}

#[apply(on_both!)]
async fn a_domain_given_up_binds_nobody(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    story.prove("cakes.example").await;
    let mei = story.bakery.with("Mei", "mei@cakes.example", granted(&[])).await;
    story.require().await;
    move_to(&db.store, mei, "mei@home.example", 50).await;
    assert!(story.is_required_of(mei).await);
    story.take(SingleSignOnStep::RemoveDomain(domain("cakes.example"))).await.unwrap();
    assert!(!story.is_required_of(mei).await);
    assert!(story.is_required_of(story.kari).await);
    story.prove("cakes.example").await;
    assert!(!story.is_required_of(mei).await, "she was let in without it meanwhile");
}

#[apply(on_both!)]
async fn another_address_that_the_provider_knows_is_an_address_like_the_first(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    story.prove("cakes.example").await;
    let mei = story.bakery.with("Mei", "mei@bakery.example", granted(&[])).await;
    story.require().await;
    move_to(&db.store, mei, "mei@cakes.example", 50).await;
    let membership = story.membership(mei).await;
    assert_eq!((membership.single_sign_on, membership.gave_address_up), (true, false));
    story.take(SingleSignOnStep::RemoveDomain(domain("cakes.example"))).await.unwrap();
    assert!(!story.is_required_of(mei).await, "as for everybody with such an address");
}

#[apply(on_both!)]
async fn a_factor_counts_that_was_there_before_it_was_required(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    let mei = story.bakery.with("Mei", "mei@bakery.example", granted(&[])).await;
    with_app(&db.store, mei, 0).await;
    assert!(!story.membership(mei).await.had_factor, "nothing is required yet");
    story.require().await;
    with_app(&db.store, story.kari, 1).await;
    assert!(story.membership(mei).await.had_factor);
    let kari = story.membership(story.kari).await;
    assert!(kari.second_factor && !kari.had_factor);
    story.take(SingleSignOnStep::Lift).await.unwrap();
    assert!(!story.membership(mei).await.had_factor);
}

#[apply(on_both!)]
async fn second_steps_and_the_end_of_their_identity_wait_for_each_other_in_no_circle(
    db: TestDatabase,
) {
    let story = std::sync::Arc::new(Story::new(&db.store).await);
    db.store.begin_session(story.kari, &new_session(1), None, at(0)).await.unwrap();
    story.link(1).await.unwrap();
    let account = Some(story.bakery.id);
    for number in 0..20 {
        let (store, by) = (&db.store, identity());
        let (hash, password) = (token(200 + number), first_password());
        store
            .begin_sign_in_by_identity(account, &by, story.kari, &hash, &password, at(600), at(2))
            .await
            .unwrap();
    }
    let came = at_once(20, |number| {
        let story = story.clone();
        async move {
            if number == 10 {
                return story.take(provider("https://other.example", "$two")).await;
            }
            let (proof, session) = (FactorProof::RecoveryCode(token(1)), new_session(100 + number));
            let (hash, store) = (token(200 + number), &story.bakery.store);
            store.finish_sign_in(&hash, story.kari, proof, &session, None, at(3)).await
        }
    });
    let over = Err(Failure::Conflict(Conflict::SignInOver));
    for (number, one) in came.await.into_iter().enumerate() {
        let fits = matches!(one, Err(Failure::Invalid(_))) || one == over;
        assert!(fits || number == 10 && one.is_ok(), "{number}: {one:?}");
    }
}

#[apply(on_both!)]
async fn nobody_is_linked_who_left_meanwhile(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    db.store.begin_session(story.kari, &new_session(1), None, at(0)).await.unwrap();
    let gone = change(None);
    let decide = |_: &_| Ok(Some(gone));
    let Bakery { store, id, ingrid, .. } = &story.bakery;
    store.change_membership(*id, *ingrid, story.kari, at(1), decide).await.unwrap();
    assert_eq!(story.link(1).await, Err(Failure::Conflict(Conflict::NotInAccount)));
}

#[apply(on_both!)]
async fn a_provider_replaced_while_many_sign_in_leaves_nobody_in(db: TestDatabase) {
    let story = std::sync::Arc::new(Story::new(&db.store).await);
    db.store.begin_session(story.kari, &new_session(1), None, at(0)).await.unwrap();
    story.link(1).await.unwrap();
    let came = at_once(20, |number| {
        let story = story.clone();
        async move {
            match number {
                10 => story.take(provider("https://other.example", "$two")).await,
                number => story.sign_in(100 + number).await,
            }
        }
    });
    for one in came.await {
        assert!(matches!(one, Ok(()) | Err(Failure::Conflict(Conflict::SignInOver))), "{one:?}");
    }
    for number in (0..20).filter(|number| *number != 10) {
        assert!(story.session(100 + number).await.is_none());
    }
}

impl Story {
    /// How many others than this user own the bakery and can come in, whoever asks.
    async fn other_owners(&self, user: UserId) -> u32 {
        let Bakery { store, id, .. } = &self.bakery;
        let mut others = 0;
        let decide = |facts: &store::ChangeFacts| {
            others = facts.other_owners;
            Ok(None)
        };
        store.change_membership(*id, user, user, at(0), decide).await.unwrap();
        assert_eq!(store.other_owners(*id, user).await, Ok(others));
        let leaving = store.leaving_accounts(user, at(0)).await.unwrap();
        assert_eq!(leaving[0].0.other_owners, others);
        let email = store.member(*id, user).await.unwrap().unwrap().email;
        let wanted = store::WantedOwners { added: None, removed: Some(&email) };
        let decide = |facts: &store::OwnersFacts| {
            assert_eq!(facts.left, others);
            Ok(None)
        };
        store.change_owners_by_provider(*id, wanted, at(0), decide).await.unwrap();
        let named = store::AskedMember::named(store::MemberName::Id(user));
        let want = |facts: &store::ProvidersMemberFacts| {
            assert_eq!(facts.other_owners, others);
            Err::<((), store::ThingKeys), ()>(())
        };
        let decide = |_: &store::ProvidersMemberFacts, (), _: &store::KeyedThings| Err(());
        let asked = store.change_member_by_provider(*id, &named, false, at(0), want, decide).await;
        assert!(asked.unwrap().is_err());
        others
    }
}

#[apply(on_both!)]
async fn an_owner_who_gave_the_companys_address_up_is_none_who_can_come_in(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    let ingrid = story.bakery.ingrid;
    let olav = story.bakery.with("Olav", "olav@bakery.example", Access::Owner).await;
    assert_eq!((story.other_owners(ingrid).await, story.other_owners(olav).await), (1, 1));
    story.require().await;
    assert_eq!(story.other_owners(ingrid).await, 1, "the company lets him in");
    move_to(&db.store, olav, "olav@home.example", 50).await;
    assert!(story.membership(olav).await.gave_address_up);
    assert_eq!((story.other_owners(ingrid).await, story.other_owners(olav).await), (0, 1));
    assert_eq!(story.other_owners(story.kari).await, 1, "of the two owners one");

    // Whoever is added in the same step counts if they can come in, and not otherwise.
    let (kari, own) = (email(KARI), email("ingrid@example.com"));
    let left = async || {
        let wanted = store::WantedOwners { added: Some(&kari), removed: Some(&own) };
        let id = story.bakery.id;
        let decide = |_: &store::OwnersFacts| Ok(None);
        db.store.change_owners_by_provider(id, wanted, at(0), decide).await.unwrap().left
    };
    assert_eq!(left().await, 1);
    // What is required no longer keeps nobody out.
    story.take(SingleSignOnStep::Lift).await.unwrap();
    assert_eq!((story.other_owners(ingrid).await, left().await), (1, 2));
}

#[apply(on_both!)]
async fn an_owner_whose_own_factor_opens_the_account_can_come_in(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    let olav = story.bakery.with("Olav", "olav@bakery.example", Access::Owner).await;
    with_app(&db.store, olav, 0).await;
    story.require().await;
    move_to(&db.store, olav, "olav@home.example", 50).await;
    assert!(story.membership(olav).await.gave_address_up);
    assert_eq!(story.other_owners(story.bakery.ingrid).await, 1);
}

#[apply(on_both!)]
async fn nobody_gives_up_the_address_by_which_the_last_owner_comes_in(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    let olav = story.bakery.with("Olav", "olav@bakery.example", Access::Owner).await;
    story.require().await;
    let (id, ingrid) = (story.bakery.id, story.bakery.ingrid);
    let gone = |_: &store::ChangeFacts| Ok(Some(change(None)));
    db.store.change_membership(id, ingrid, ingrid, at(1), gone).await.unwrap();
    ask(&db.store, olav, "olav@home.example", 50).await;
    let refused = confirm(&db.store, olav, 50, 12).await.map(drop);
    assert_eq!(refused, Err(Failure::Conflict(Conflict::LastOwnersAddress)));
    let membership = story.membership(olav).await;
    assert_eq!((membership.single_sign_on, membership.gave_address_up), (true, false));
    // Beside another owner he may.
    db.store.add_member(id, ingrid, Access::Owner, at(2)).await.unwrap();
    confirm(&db.store, olav, 50, 13).await.unwrap();
    assert!(story.membership(olav).await.gave_address_up);
    // From one address that opens nothing to another: no worse than before.
    db.store
        .change_membership(id, ingrid, ingrid, at(14), |_| Ok(Some(change(None))))
        .await
        .unwrap();
    move_to(&db.store, olav, "olav@elsewhere.example", 52).await;
}

#[apply(on_both!)]
async fn owners_who_give_their_addresses_up_at_once_leave_one_who_can_come_in(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    let mut owners = Vec::new();
    for number in 0..8_u8 {
        let address = format!("o{number}@bakery.example");
        owners.push(story.bakery.with("Owner", &address, Access::Owner).await);
    }
    story.require().await;
    let (id, ingrid) = (story.bakery.id, story.bakery.ingrid);
    let gone = |_: &store::ChangeFacts| Ok(Some(change(None)));
    db.store.change_membership(id, ingrid, ingrid, at(1), gone).await.unwrap();
    for (number, owner) in (100..).step_by(2).zip(&owners) {
        ask(&db.store, *owner, &format!("o{number}@home.example"), number).await;
    }
    let moved = at_once(8, |place| {
        let (store, owner) = (db.store.clone(), owners[usize::from(place)]);
        let link = token(100 + 2 * place);
        async move {
            let undo = store::NewUndo { token_hash: token(101 + 2 * place), until: at(9_000) };
            let (keep, now) = (token(1), at(12));
            let mails = |_: &store::EmailChange| Vec::new();
            store.confirm_email_change(&link, owner, &keep, &undo, now, mails).await.map(drop)
        }
    })
    .await;
    let refused: Vec<_> = moved.into_iter().filter_map(Result::err).collect();
    assert_eq!(refused, [Failure::Conflict(Conflict::LastOwnersAddress)]);
    let mut come_in = 0;
    for owner in owners {
        come_in += u32::from(!story.membership(owner).await.gave_address_up);
    }
    assert_eq!(come_in, 1);
}

#[apply(on_both!)]
async fn the_account_is_handed_to_nobody_who_couldnt_come_in(db: TestDatabase) {
    let story = Story::new(&db.store).await;
    let (id, ingrid, kari) = (story.bakery.id, story.bakery.ingrid, story.kari);
    story.require().await;
    let offer = |_: &store::OwnerOfferFacts| {
        Ok(store::NewOwnerChange {
            afterwards: Some(model::Afterwards::Out),
            entry: entry(model::ActivityKind::OwnerOffered),
            bounds: Vec::new(),
        })
    };
    let change = db.store.offer_ownership(id, ingrid, kari, at(1), offer).await.unwrap();
    let accept = |_: &store::OwnerChangeFacts| {
        Ok(store::OwnerStep::Accept(at(100), entry(model::ActivityKind::OwnerAccepted)))
    };
    db.store.step_owner_change(id, kari, change, at(2), accept).await.unwrap();
    story.move_to("kari@home.example", 50).await;
    db.store.settle_owners(id, at(100)).await.unwrap();
    let found = db.store.owner_change(id, change).await.unwrap().unwrap();
    assert_eq!(found.state, model::OwnerChangeState::Lapsed);
    let owners = db.store.owners(id, 9).await.unwrap();
    assert_eq!(
        owners.iter().map(|owner| owner.full_name.as_str()).collect::<Vec<_>>(),
        ["Ingrid Berg"]
    );
}
