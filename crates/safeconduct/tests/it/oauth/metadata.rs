//! What issuers publish about themselves must be true.

use serde_json::json;

use super::papers::Papers;
use crate::support::TestServer;

#[tokio::test]
async fn metadata_names_what_answers_and_nothing_else() {
    let server = TestServer::sqlite().await;
    server.stranger().await;
    let anonymous = server.anonymous();
    let url = server.url();
    for (path, issuer) in [
        ("/.well-known/oauth-authorization-server", url.clone()),
        ("/.well-known/openid-configuration", url.clone()),
        ("/o/elsewhere/.well-known/oauth-authorization-server", format!("{url}/o/elsewhere")),
        ("/.well-known/oauth-authorization-server/o/elsewhere", format!("{url}/o/elsewhere")),
        ("/o/elsewhere/.well-known/openid-configuration", format!("{url}/o/elsewhere")),
    ] {
        let answer = anonymous.get(path).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let metadata = answer.ok(200);
        assert_eq!(metadata["issuer"], issuer, "{path}");
        let path_of = |name: &str| metadata[name].as_str().unwrap().strip_prefix(&url).unwrap().to_owned();
        anonymous.get(&path_of("jwks_uri")).await.ok(200);
        for endpoint in ["token_endpoint", "introspection_endpoint", "revocation_endpoint"] {
            let answer = anonymous
                .form(&path_of(endpoint), &[("token", "x"), ("grant_type", "client_credentials")])
                .await;
            answer.oauth_error(401, "invalid_client");
        }
        let authorize = anonymous.get(&path_of("authorization_endpoint")).await;
        authorize.refused(422, "validation_failed");
        let device = anonymous.form(&path_of("device_authorization_endpoint"), &[("client_id", "x")]).await;
        device.oauth_error(401, "invalid_client");
        for absent in ["registration_endpoint", "userinfo_endpoint"] {
            assert!(metadata.get(absent).is_none(), "{absent}");
        }
        for grant in metadata["grant_types_supported"].as_array().unwrap() {
            let form = [("grant_type", grant.as_str().unwrap()), ("client_id", "x")];
            anonymous.form(&path_of("token_endpoint"), &form).await.oauth_error(401, "invalid_client");
        }
        assert_eq!(metadata["response_types_supported"], json!(["code"]));
        assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    }
    anonymous.get("/o/nowhere/.well-known/oauth-authorization-server").await.refused(404, "not_found");
    server.finish().await;
}

#[tokio::test]
async fn the_named_resource_is_an_audience_that_can_be_asked_for() {
    let server = TestServer::sqlite().await;
    let papers = Papers::of(&server.owner().await, "worker", &[]).await;
    let metadata = server.anonymous().get("/.well-known/oauth-authorization-server").await.ok(200);
    for resource in metadata["protected_resources"].as_array().unwrap() {
        papers.ask(&server.anonymous(), &[("resource", resource.as_str().unwrap())]).await.ok(200);
    }
    server.finish().await;
}
