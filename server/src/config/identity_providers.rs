//! The identity providers that people can sign in with: what each needs, and that no two are the
//! same.

use figment::Figment;
use figment::providers::{Format, Toml};
use model::Secret;
use serde::{Deserialize, Deserializer, de};
use url::Url;

use domain::network::is_here;

/// An identity provider that people can sign in with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityProviderSettings {
    /// What it is called here: letters, digits and dashes.
    pub id: String,
    /// What people call it: the button says "Sign in with" and this.
    pub name: String,
    /// Its address, as it names itself but for a slash at the end.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// By which it knows us.
    pub client_secret: Secret,
}

impl IdentityProviderSettings {
    fn is_sound(&self) -> bool {
        let line = |text: &str, most: usize| {
            (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control)
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let issuer = Url::parse(&self.issuer).is_ok_and(|url| {
            (url.scheme() == "https" || is_here(&url))
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        line(&self.id, 40)
            && self.id.chars().all(plain)
            && line(&self.name, 100)
            && issuer
            && line(&self.client_id, 255)
            && line(self.client_secret.expose(), 1000)
    }
}

pub(super) fn identity_providers<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<IdentityProviderSettings>, D::Error> {
    const WANTED: &str = "a list of identity providers, each with an id of letters, digits and \
                          dashes, a name, an https issuer, a client_id and a client_secret, no id \
                          and no issuer twice";
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        List(Vec<IdentityProviderSettings>),
        Text(String),
    }
    let wrong = || de::Error::custom(WANTED);
    let mut list = match Given::deserialize(from).map_err(|_| wrong())? {
        Given::List(list) => list,
        // In the environment it is one TOML value.
        Given::Text(text) => Figment::from(Toml::string(&format!("list = {text}")))
            .extract_inner("list")
            .map_err(|_| wrong())?,
    };
    for one in &mut list {
        one.issuer = domain::single_sign_on::meant_issuer(&one.issuer);
    }
    let sound = list.iter().enumerate().all(|(place, one)| {
        let others = || list.iter().take(place);
        one.is_sound() && others().all(|other| other.id != one.id && other.issuer != one.issuer)
    });
    if sound { Ok(list) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{parse, problem, refuses};

    #[test]
    fn what_is_no_list_of_providers_is_refused() {
        refuses(&[
            ("IDENTITY_PROVIDERS", "acme", "a list of identity providers, each with an id"),
            ("IDENTITY_PROVIDERS", "[{ id = 'acme' }]", "a list of identity providers"),
        ]);
    }

    #[test]
    fn identity_providers_are_named_in_the_file_or_in_one_value() {
        let file = r#"
            [[identity_providers]]
            id = "acme"
            name = "Acme Login"
            issuer = "https://id.acme.example/"
            client_id = "latchkey"
            client_secret = "geheim"
        "#;
        let value = "[{ id = 'acme', name = 'Acme Login', issuer = 'https://id.acme.example/', \
                     client_id = 'latchkey', client_secret = 'geheim' }]";
        let variable = "LATCHKEY_IDENTITY_PROVIDERS";
        for config in [parse(file, &[]).unwrap(), parse("", &[(variable, value)]).unwrap()] {
            let [acme] = &config.identity_providers[..] else { panic!("{config:?}") };
            assert_eq!((&*acme.id, &*acme.name), ("acme", "Acme Login"));
            assert_eq!((&*acme.issuer, &*acme.client_id), ("https://id.acme.example/", "latchkey"));
            assert_eq!(acme.client_secret.expose(), "geheim");
            assert!(!format!("{config:?}").contains("geheim"));
        }
        let takes = |from: &str, to: &str| {
            let changed = value.replacen(from, to, 1);
            assert_ne!(changed, value);
            parse("", &[(variable, &changed)]).is_ok()
        };
        assert!(takes("https://id.acme.example/", "http://127.0.0.1:9000"));
        let pasted = " https://id.acme.example/.well-known/openid-configuration ";
        let pasted = value.replacen("https://id.acme.example/", pasted, 1);
        let pasted = parse("", &[(variable, &pasted)]).unwrap();
        assert_eq!(pasted.identity_providers[0].issuer, "https://id.acme.example");
        for (from, to) in [
            ("https:", "http:"),
            ("https:", "ftp:"),
            ("example/", "example/?a=b"),
            ("https://", "https://me:geheim@"),
            ("'acme'", "'ac me'"),
            ("'latchkey'", "''"),
            ("'Acme Login'", "\"two\\nlines\""),
            ("client_id", "clientid"),
            ("id = 'acme'", "id = 'acme', scope = 'email'"),
        ] {
            assert!(!takes(from, to), "{to}");
        }
        let twice = format!("{file}{file}");
        let told = problem(&twice, &[]);
        assert!(told.starts_with("identity_providers in latchkey.toml must be a list"), "{told}");
        assert!(!told.contains("geheim"), "{told}");
    }
}
