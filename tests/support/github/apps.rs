//! A GitHub App: its installation, and tokens for it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::openapi;
use super::rights::{Kind, Token};
use super::serve::{Answer, Request};
use super::state::State;

/// Answers what an App asks for itself; `None`: it is another operation.
pub fn answer(state: &mut State, request: &Request) -> Option<Answer> {
    let minting = match request.operation.name {
        "GET /repos/{owner}/{repo}/installation" => false,
        "POST /app/installations/{installation_id}/access_tokens" => true,
        _ => return None,
    };
    let Some(app) = state.app.clone().filter(|app| is_signed(request, app.id)) else {
        return Some(Answer::error(401, "A JSON web token could not be decoded"));
    };
    if !minting {
        if !app.repositories.contains(&request.repo) {
            return Some(Answer::error(404, "Not Found"));
        }
        let mut body = openapi::example(request.operation.name);
        body["id"] = app.installation.into();
        body["app_id"] = app.id.into();
        body["permissions"] = json!(app.permissions);
        body["suspended_at"] = if app.suspended { "2025-05-20T10:00:00Z".into() } else { Value::Null };
        return Some(Answer::new(200, body));
    }
    if request.number("installation_id") != app.installation {
        return Some(Answer::error(404, "Not Found"));
    }
    let granted = |name: &str, level: &Value| {
        let has = app.permissions.get(name).map_or("none", String::as_str);
        name == "metadata" || has == level || has == "admin" || (has == "write" && level == "read")
    };
    let permissions = match request.body["permissions"].as_object().filter(|asked| !asked.is_empty()) {
        Some(asked) if asked.iter().any(|(name, level)| !granted(name, level)) => {
            let message = "The permissions requested are not granted to this installation.";
            return Some(Answer::error(422, message));
        }
        Some(asked) => asked.iter().map(|(name, level)| (name.clone(), level.as_str().unwrap().to_owned())).collect(),
        None => app.permissions.clone(),
    };
    let asked: Vec<String> = request.body["repositories"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|n| n.as_str().map(str::to_owned))
        .collect();
    let covered = |full: &&String| asked.is_empty() || asked.iter().any(|name| full.ends_with(&format!("/{name}")));
    let reaches: Vec<String> = app.repositories.iter().filter(covered).cloned().collect();
    let secret = format!("ghs_minted{}", app.minted + 1);
    let kind = Kind::Installation(permissions.clone());
    let token = Token { login: "gs-release[bot]".into(), kind, push: false, reaches: Some(reaches) };
    state.tokens.insert(secret.clone(), token);
    if let Some(app) = &mut state.app {
        app.minted += 1;
    }
    let expires = (jiff::Timestamp::now() + app.lasts).strftime("%Y-%m-%dT%H:%M:%SZ");
    Some(Answer::new(201, json!({ "token": secret, "expires_at": expires.to_string(), "permissions": permissions })))
}

/// Whether the token is a JWT as GitHub asks for (its signature is taken on trust): RS256, from this App, for at most ten
/// minutes.
fn is_signed(request: &Request, id: u64) -> bool {
    let parts: Vec<Value> = request
        .secret
        .iter()
        .flat_map(|secret| secret.split('.').take(2))
        .filter_map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok())
        .collect();
    let [header, claims] = parts.as_slice() else { return false };
    let issuer = claims["iss"].as_str().map(str::to_owned).unwrap_or_else(|| claims["iss"].to_string());
    let now = jiff::Timestamp::now().as_second();
    let lasts = claims["exp"].as_i64().is_some_and(|end| end > now && end <= now + 600);
    header["alg"] == "RS256" && issuer == id.to_string() && lasts
}
