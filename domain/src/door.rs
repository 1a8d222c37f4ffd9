//! The door for the provider's own systems: what they read, and what they write as the provider. A
//! token stands for them; what it doesn't see isn't there.

use std::future::Future;

use model::{
    AccountId, ActivityKind, DoorArea, DoorKey, DoorRef, EmailAddress, Failure, Timestamp,
};
pub use store::{
    AccountKey, Behind, Changes, Done, DoorAccount, DoorDomain, DoorInvoice, DoorPage, DoorService,
    DoorSupportRequest, Kept, KeptMessage, LinkedRow, SupportMessage,
};
use store::{Asked, Decided, NewActivity, Step, Store};

use crate::invitations::{Links, Offering};
use crate::tokens::Token;
use crate::{Latchkey, zones};

/// How many rows a request can have.
pub const MOST_ROWS: usize = 1_000;

/// What a thing is to become.
#[derive(Clone, Debug)]
pub enum Becomes<T> {
    /// This, whether it is there or not.
    This(T),
    /// Nothing: it is deleted.
    Nothing,
}

/// Why a row came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused<E> {
    /// Whoever asked says why.
    Said(E),
    /// There is no such thing, or none that the token sees.
    NotFound,
    /// The row names no account, and the thing has none yet.
    NoAccount,
    /// There is no such account, or none that the token sees.
    UnknownAccount,
}

impl<E> From<E> for Refused<E> {
    fn from(said: E) -> Self {
        Self::Said(said)
    }
}

/// Says of a thing as it stands what it is to become.
pub type Becoming<'a, T, E> = Box<dyn FnMut(Option<&Kept<T>>) -> Result<Becomes<T>, E> + Send + 'a>;

/// One row of a request that writes. Told the thing as it stands, `becomes` says what it is to be.
pub struct Row<'a, T, E> {
    /// Which thing.
    pub key: DoorKey,
    /// Whose it is to be, if the row says so.
    pub account: Option<DoorKey>,
    /// Who is invited as the first owner, if the thing is an account that comes about.
    pub owner: Option<EmailAddress>,
    /// What it is to become.
    pub becomes: Becoming<'a, T, E>,
}

/// What the log calls it when a thing comes, changes and goes.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    added: ActivityKind,
    changed: ActivityKind,
    removed: ActivityKind,
}

/// A kind of thing that is read and written at the door.
pub trait Thing: Clone + PartialEq + Send + Sync + Sized + 'static {
    /// The area that a token's scope must open.
    const AREA: DoorArea;
    /// Whether it is an account itself, and so nobody's.
    const IS_ACCOUNT: bool = false;

    /// What the log says of it.
    fn told() -> Told;

    /// What the log calls it.
    fn name(&self) -> &str;

    /// The thing with this key.
    fn find(
        store: &Store,
        key: &DoorKey,
    ) -> impl Future<Output = Result<Option<Kept<Self>>, Failure>> + Send;

    /// The things behind this place.
    fn list(
        store: &Store,
        account: Option<AccountId>,
        behind: Behind,
        most: usize,
    ) -> impl Future<Output = Result<DoorPage<Self>, Failure>> + Send;

    /// Changes things; see [`Store`].
    fn change<R: Send>(
        store: &Store,
        asked: &[Asked],
        write: bool,
        now: Timestamp,
        decide: impl FnMut(usize, Option<&Kept<Self>>, Option<&AccountKey>) -> Result<Decided<Self>, R>
        + Send,
    ) -> impl Future<Output = Result<Changes<Self, R>, Failure>> + Send;
}

macro_rules! things {
    ($(
        $thing:ident in $area:ident $(is $account:literal)?, called $name:ident,
        told $added:ident $changed:ident $removed:ident, by $find:ident $list:ident $change:ident;
    )*) => {
        $(impl Thing for $thing {
            const AREA: DoorArea = DoorArea::$area;
            $(const IS_ACCOUNT: bool = $account;)?

            fn told() -> Told {
                Told {
                    added: ActivityKind::$added,
                    changed: ActivityKind::$changed,
                    removed: ActivityKind::$removed,
                }
            }

            fn name(&self) -> &str {
                &self.$name
            }

            async fn find(store: &Store, key: &DoorKey) -> Result<Option<Kept<Self>>, Failure> {
                store.$find(key).await
            }

            async fn list(
                store: &Store,
                account: Option<AccountId>,
                behind: Behind,
                most: usize,
            ) -> Result<DoorPage<Self>, Failure> {
                store.$list(account, behind, most).await
            }

            async fn change<R: Send>(
                store: &Store,
                asked: &[Asked],
                write: bool,
                now: Timestamp,
                decide: impl FnMut(
                    usize,
                    Option<&Kept<Self>>,
                    Option<&AccountKey>,
                ) -> Result<Decided<Self>, R>
                + Send,
            ) -> Result<Changes<Self, R>, Failure> {
                store.$change(asked, write, now, decide).await
            }
        })*
    };
}

things! {
    // An account isn't deleted.
    DoorAccount in Accounts is true, called name,
        told AccountCreated AccountChanged AccountChanged,
        by find_account_at_door list_accounts_at_door change_accounts_at_door;
    DoorService in Services, called name, told ServiceAdded ServiceChanged ServiceRemoved,
        by find_service_at_door list_services_at_door change_services_at_door;
    DoorDomain in Domains, called name, told DomainAdded DomainChanged DomainRemoved,
        by find_domain_at_door list_domains_at_door change_domains_at_door;
    DoorInvoice in Invoices, called number, told InvoiceAdded InvoiceChanged InvoiceRemoved,
        by find_invoice_at_door list_invoices_at_door change_invoices_at_door;
    DoorSupportRequest in Support, called number,
        told SupportRequestAdded SupportRequestChanged SupportRequestRemoved,
        by find_support_request_at_door list_support_requests_at_door
            change_support_requests_at_door;
}

/// The thing with this key, if the token sees it.
///
/// # Errors
/// [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn find<T: Thing>(
    latchkey: &Latchkey,
    token: &Token,
    key: &DoorKey,
) -> Result<Kept<T>, Failure> {
    let found = T::find(&latchkey.store, key).await?;
    found.filter(|kept| token.sees(kept.account.id)).ok_or(Failure::NotFound)
}

/// The account with this key, if the token sees it.
///
/// # Errors
/// [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn account(
    latchkey: &Latchkey,
    token: &Token,
    key: &DoorKey,
) -> Result<AccountKey, Failure> {
    let found = latchkey.store.account_at_door(key).await?;
    found.filter(|account| token.sees(account.id)).ok_or(Failure::NotFound)
}

/// The things behind this place that the token sees, of one account or of all, at most `most`.
///
/// # Errors
/// [`Failure::NotFound`] when the token doesn't see the account, [`Failure::Unavailable`].
pub async fn list<T: Thing>(
    latchkey: &Latchkey,
    token: &Token,
    account: Option<&DoorKey>,
    behind: Behind,
    most: usize,
) -> Result<DoorPage<T>, Failure> {
    let account = match account {
        Some(key) => Some(self::account(latchkey, token, key).await?.id),
        None => token.account,
    };
    T::list(&latchkey.store, account, behind, most).await
}

/// Writes what the rows say, one after the other: all of it, or nothing if one comes to nothing.
/// Without `write` it is found out what would come of it. The logs say that the provider did it, and by
/// which token.
///
/// # Errors
/// [`Failure::Conflict`] when somebody else was faster, [`Failure::Unavailable`].
pub async fn change<T: Thing, E: Send>(
    latchkey: &Latchkey,
    token: &Token,
    rows: Vec<Row<'_, T, E>>,
    write: bool,
) -> Result<Changes<T, Refused<E>>, Failure> {
    let now = latchkey.now();
    let asked: Vec<_> = rows
        .iter()
        .map(|row| Asked { key: row.key.clone(), account: row.account.clone() })
        .collect();
    let ids: Vec<_> = rows.iter().map(|_| latchkey.new_id()).collect();
    let mut rows: Vec<_> = rows.into_iter().zip(ids).collect();
    let decide = |index: usize, present: Option<&Kept<T>>, account: Option<&AccountKey>| {
        let (row, id) = rows.get_mut(index).ok_or(Refused::NotFound)?;
        if present.is_some_and(|kept| !token.sees(kept.account.id)) {
            return Err(Refused::NotFound);
        }
        if present.is_none() && !matches!(row.key, DoorKey::Ref(_)) {
            return Err(Refused::NotFound);
        }
        let step = match (row.becomes)(present)? {
            Becomes::Nothing if present.is_none() => return Err(Refused::NotFound),
            Becomes::Nothing => Step::Remove,
            // A token of one account makes no others.
            Becomes::This(_) if T::IS_ACCOUNT && present.is_none() && token.account.is_some() => {
                return Err(Refused::NotFound);
            }
            Becomes::This(thing) => {
                let account = match (&row.account, present) {
                    _ if T::IS_ACCOUNT => None,
                    (Some(_), _) => {
                        let seen = account.filter(|account| token.sees(account.id));
                        Some(seen.ok_or(Refused::UnknownAccount)?.id)
                    }
                    (None, Some(kept)) => Some(kept.account.id),
                    (None, None) => return Err(Refused::NoAccount),
                };
                let is_so = present.is_some_and(|kept| {
                    kept.thing == thing && account.is_none_or(|account| account == kept.account.id)
                });
                if is_so { Step::Leave } else { Step::Write { account, thing } }
            }
        };
        let by = By { latchkey, token };
        let entries = by.entries(present, &step, *id);
        let owner = row.owner.take().filter(|_| present.is_none() && T::IS_ACCOUNT);
        let owner = owner.map(|owner| {
            let zone = zones::first([latchkey.settings.time_zone.as_str()]);
            let links = Links::new(latchkey, &zone, now);
            let name = match &step {
                Step::Write { thing, .. } => thing.name(),
                Step::Leave | Step::Remove => "",
            };
            let offering = Offering {
                email: &owner,
                offered: model::GivenAccess::Owner,
                as_owner: false,
                account: name,
                inviter: None,
            };
            let offer = links.offer(offering, by.entry(ActivityKind::InvitationSent), None);
            (owner, offer)
        });
        Ok(Decided { step, id: *id, entries, owner })
    };
    T::change(&latchkey.store, &asked, write, now, decide).await
}

/// What was said in a support request under this key, if the token sees that.
///
/// # Errors
/// [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn message(
    latchkey: &Latchkey,
    token: &Token,
    request: &DoorKey,
    key: &DoorKey,
) -> Result<KeptMessage, Failure> {
    let request = find::<DoorSupportRequest>(latchkey, token, request).await?;
    latchkey.store.support_message(request.id, key).await?.ok_or(Failure::NotFound)
}

/// What was said in a support request, behind this place in the order of changes, at most `most`.
///
/// # Errors
/// [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn messages(
    latchkey: &Latchkey,
    token: &Token,
    request: &DoorKey,
    behind: Behind,
    most: usize,
) -> Result<Vec<KeptMessage>, Failure> {
    let request = find::<DoorSupportRequest>(latchkey, token, request).await?;
    latchkey.store.support_messages(request.id, behind, most).await
}

/// Says something in a support request, or changes what was said under this id. Answers how it was,
/// and how it is; nothing, if it isn't as it is wanted to be. Without `write` it is found out what would
/// come of it.
///
/// # Errors
/// [`Failure::NotFound`]; [`Failure::Conflict`] when somebody else was faster;
/// [`Failure::Unavailable`].
pub async fn say(
    latchkey: &Latchkey,
    token: &Token,
    request: &DoorKey,
    reference: &DoorRef,
    message: SupportMessage,
    as_wanted: impl FnOnce(Option<&KeptMessage>) -> bool + Send,
    write: bool,
) -> Result<Option<(Option<KeptMessage>, KeptMessage)>, Failure> {
    let request = find::<DoorSupportRequest>(latchkey, token, request).await?;
    let (store, now, id) = (&latchkey.store, latchkey.now(), latchkey.new_id());
    let key = DoorKey::Ref(reference.clone());
    let by = By { latchkey, token };
    let kind = ActivityKind::SupportRequestChanged;
    let entry = by.entry(kind).about(None, &request.thing.number);
    let (mut before, said) = (None, message.clone());
    let mut is_wanted = false;
    let decide = |present: Option<&KeptMessage>| {
        before = present.cloned();
        is_wanted = as_wanted(present);
        if !is_wanted {
            return Ok(None);
        }
        let is_so = present.is_some_and(|kept| kept.message == message);
        Ok((write && !is_so).then_some((message, entry)))
    };
    let account = request.account.id;
    store.put_support_message(account, request.id, reference, id, now, decide).await?;
    if !is_wanted {
        return Ok(None);
    }
    let would_be = KeptMessage {
        id: before.as_ref().map_or(id, |kept| kept.id),
        reference: Some(reference.clone()),
        changed: before.as_ref().map_or(now, |kept| kept.changed),
        message: said,
    };
    let after = match write {
        // When it changed is known only now.
        true => store.support_message(request.id, &key).await?.unwrap_or(would_be),
        false => would_be,
    };
    Ok(Some((before, after)))
}

/// The rows of an account's log with a greater number, in their order, at most `most`. Rows from before
/// there were numbers are none of them.
///
/// # Errors
/// [`Failure::NotFound`] when the token doesn't see the account, [`Failure::Unavailable`].
pub async fn activity(
    latchkey: &Latchkey,
    token: &Token,
    account: &DoorKey,
    after: i64,
    most: usize,
) -> Result<Vec<LinkedRow>, Failure> {
    let account = self::account(latchkey, token, account).await?;
    latchkey.store.linked_rows(account.id, after, most).await
}

/// The provider, by one of its systems.
pub(crate) struct By<'a> {
    pub(crate) latchkey: &'a Latchkey,
    pub(crate) token: &'a Token,
}

impl By<'_> {
    /// The log's row of what they do: under the provider's name, with the token's behind it.
    pub(crate) fn entry(&self, kind: ActivityKind) -> NewActivity {
        let name = format!("{} ({})", self.latchkey.settings.provider, self.token.name);
        NewActivity::by(None, &name, kind, "")
    }

    /// What accounts' logs tell of a step: a thing that goes to another account is gone from one and
    /// new in the other.
    fn entries<T: Thing>(
        &self,
        present: Option<&Kept<T>>,
        step: &Step<T>,
        id: uuid::Uuid,
    ) -> Vec<(AccountId, NewActivity)> {
        let told = T::told();
        let tell = |account, kind, name: &str| (account, self.entry(kind).about(None, name));
        let gone = |kept: &Kept<T>| tell(kept.account.id, told.removed, kept.thing.name());
        match (step, present) {
            (Step::Leave, _) | (Step::Remove, None) => Vec::new(),
            (Step::Remove, Some(kept)) => vec![gone(kept)],
            (Step::Write { account, thing }, None) => {
                // A new account is its own; its log's first row names nobody else.
                match account {
                    Some(account) => vec![tell(*account, told.added, thing.name())],
                    None => vec![(id.into(), self.entry(told.added))],
                }
            }
            (Step::Write { account, thing }, Some(kept)) => {
                let own = kept.account.id;
                match account {
                    Some(account) if *account != own => {
                        vec![gone(kept), tell(*account, told.added, thing.name())]
                    }
                    _ => vec![tell(own, told.changed, thing.name())],
                }
            }
        }
    }
}
