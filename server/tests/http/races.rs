//! What several requests at the same moment could break, asked through the router.

use domain::demo::{INGRID, OLAV};
use test_database::on_both;

use crate::story::{BAKERY, TestApp};

on_both! {
    async fn fifty_simultaneous_joins_make_one_membership(db: TestDatabase) {
        let app = TestApp::new(db).await;
        app.as_person(INGRID).await.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
        let link = app.invitation_link("kari@nordlys.example").await;
        let mut joins = tokio::task::JoinSet::new();
        for n in 0..50 {
            let (mut browser, link) = (app.browser(), link.clone());
            joins.spawn(async move {
                let token = link.rsplit('/').next().unwrap().to_owned();
                let name = format!("Kari {n}");
                let fields = [
                    ("token", token.as_str()),
                    ("full_name", name.as_str()),
                    ("password", "a password of mine"),
                ];
                let page = browser.post(&link, "invitations/join-with-new-login", &fields).await;
                page.status.as_u16()
            });
        }
        let statuses = joins.join_all().await;
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [303, 410, 503].contains(status)), "{statuses:?}");
        let page = app.as_person(INGRID).await.get(&format!("{BAKERY}/users")).await;
        assert_eq!(page.words().matches("kari@ nordlys.example").count(), 1);
    }

    async fn owners_who_leave_at_once_leave_one_behind(db: TestDatabase) {
        let app = TestApp::new(db).await;
        let (ingrid, olav) = (app.as_person(INGRID).await, app.as_person(OLAV).await);
        let mut leaves = tokio::task::JoinSet::new();
        for n in 0..50 {
            let mut browser = if n % 2 == 0 { ingrid.clone() } else { olav.clone() };
            leaves.spawn(async move {
                let path = format!("{BAKERY}/leave");
                let page = browser.post(&path, "account/leave", &[("account", "100001")]).await;
                page.status.as_u16()
            });
        }
        let statuses = leaves.join_all().await;
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
        let (mut ingrid, mut olav) = (ingrid, olav);
        let left = [ingrid.get(BAKERY).await, olav.get(BAKERY).await];
        assert_eq!(left.iter().filter(|page| page.status.as_u16() == 200).count(), 1);
    }

    async fn joining_and_cancelling_at_once_have_one_outcome(db: TestDatabase) {
        let app = TestApp::new(db).await;
        let mut ingrid = app.as_person(INGRID).await;
        ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
        let link = app.invitation_link("kari@nordlys.example").await;
        let page = ingrid.get(&format!("{BAKERY}/users")).await;
        let row = page.row_of("kari@");
        let id = row.split("name=\"invitation\" value=\"").nth(1).unwrap();
        let id = id.split('"').next().unwrap().to_owned();
        let token = link.rsplit('/').next().unwrap().to_owned();
        let mut kari = app.browser();
        let decline = [("token", token.as_str())];
        let cancel = [("account", "100001"), ("invitation", id.as_str())];
        let path = format!("{BAKERY}/invitations/{id}/cancel");
        let declined = format!("{link}/decline");
        let (declining, cancelling) = tokio::join!(
            kari.post(&declined, "invitations/decline", &decline),
            ingrid.post(&path, "users/cancel", &cancel),
        );
        let done = [declining.status.as_u16(), cancelling.status.as_u16()];
        assert_eq!(done.iter().filter(|status| **status == 303).count(), 1, "{done:?}");
        let page = app.browser().get(&link).await;
        let outcome = if done[0] == 303 { "was declined" } else { "was cancelled" };
        page.is(410).says(outcome);
    }
}
