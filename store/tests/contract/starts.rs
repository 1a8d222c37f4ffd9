use model::{Access, ActivityKind, Permission, PermissionSet, Terms};
use store::{ChangeFacts, NewPause, PauseChange};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{Bakery, account, at, entry, granted, mail};

use Permission::BillingView;

#[apply(on_both!)]
async fn a_form_begins_with_people_who_hold_something_and_own_nothing(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (store, id, ingrid) = (&bakery.store, bakery.id, bakery.ingrid);
    let with = async |name: &str, access: Access| {
        bakery.with(name, &format!("{name}@example.com"), access).await
    };
    let view: PermissionSet = [BillingView].into_iter().collect();
    let until = Terms { until: Some(at(10)), ..Terms::whole(view) };
    let tom = with("tom", granted(&[BillingView])).await;
    let amira = with("Amira", granted(&[BillingView])).await;
    let mei = with("Mei", Access::Granted(vec![until])).await;
    with("Nils", Access::NONE).await;
    with("Olav", Access::Owner).await;
    let paused = with("Per", granted(&[BillingView])).await;
    let pause = PauseChange {
        pause: Some(NewPause { by: ingrid, why: String::new() }),
        entry: entry(ActivityKind::AccessPaused),
        mail: mail("per@example.com"),
    };
    let decide = |_: &ChangeFacts| Ok(Some(pause));
    store.change_pause(id, ingrid, paused, at(0), decide).await.unwrap();

    let people = async |but, most, seconds| {
        let found = store.people_to_start_from(id, but, most, at(seconds)).await.unwrap();
        found.into_iter().map(|person| person.full_name).collect::<Vec<_>>()
    };
    assert_eq!(people([ingrid; 2], 9, 9).await, ["Amira", "Mei", "tom"]);
    assert_eq!(people([ingrid; 2], 9, 10).await, ["Amira", "tom"]);
    assert_eq!(people([amira, tom], 9, 9).await, ["Mei"]);
    assert_eq!(people([mei, ingrid], 1, 9).await, ["Amira"]);
    let (elsewhere, _) = account(store, "Agency").await;
    assert!(store.people_to_start_from(elsewhere, [ingrid; 2], 9, at(9)).await.unwrap().is_empty());
}
