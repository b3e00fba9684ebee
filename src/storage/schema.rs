//! The tables, as both databases have them. Written by hand; `tests/migrations.rs` compares it with the migrations.

diesel::table! { roles (id) {
    id -> BigInt, name -> Text, title -> Text, privileges -> Text, built_in -> Bool,
} }

diesel::table! { users (id) {
    id -> BigInt, username -> Text, display_name -> Text, email -> Text, password_hash -> Nullable<Text>,
    disabled_at -> Nullable<BigInt>, created_at -> BigInt, revision -> BigInt, search_key -> Text,
} }

diesel::table! { user_roles (user_id, role_id) {
    user_id -> BigInt, role_id -> BigInt,
} }

diesel::table! { sessions (id) {
    id -> BigInt, user_id -> BigInt, key_digest -> Nullable<Binary>, created_at -> BigInt, last_seen_at -> BigInt,
    authenticated_at -> BigInt, address -> Text, user_agent -> Text,
} }

diesel::table! { repositories (id) {
    id -> BigInt, name -> Text, description -> Text, created_at -> BigInt, search_key -> Text, revision -> BigInt,
    last_used_at -> Nullable<BigInt>,
} }

diesel::table! { repository_tokens (id) {
    id -> BigInt, repository_id -> BigInt, generation -> BigInt, digest -> Binary, hint -> Text,
    sealed -> Nullable<Binary>, key_id -> Nullable<Text>, created_at -> BigInt, created_by -> Text,
    valid_until -> Nullable<BigInt>, last_used_at -> Nullable<BigInt>, last_used_address -> Nullable<Text>,
    form_nonce -> BigInt, first_use_pending -> Bool,
} }

diesel::table! { grants (user_id, repository_id) {
    user_id -> BigInt, repository_id -> BigInt, permission -> Text, created_at -> BigInt,
} }

diesel::table! { api_tokens (id) {
    id -> BigInt, user_id -> BigInt, name -> Text, name_key -> Text, note -> Nullable<Text>,
    hint -> Text, secret_number -> BigInt,
    repositories_permission -> Text, account_permission -> Text, administration_permission -> Text,
    repository_selection -> Text, lifetime -> Nullable<BigInt>, created_at -> BigInt, rotated_at -> Nullable<BigInt>,
    expires_at -> Nullable<BigInt>,
    disabled_at -> Nullable<BigInt>, revoked_at -> Nullable<BigInt>,
} }

diesel::table! { api_token_repositories (api_token_id, repository_id) {
    api_token_id -> BigInt, repository_id -> BigInt,
} }

diesel::table! { api_token_secrets (digest) {
    digest -> Binary, api_token_id -> BigInt, number -> BigInt, hint -> Text, created_at -> BigInt,
    valid_until -> Nullable<BigInt>, form_nonce -> BigInt, first_use_pending -> Bool,
} }

diesel::table! { idempotency_keys (credential, key) {
    credential -> Binary, key -> Text, request -> Binary, status -> BigInt, sealed -> Binary, key_id -> Text,
    secret_digest -> Nullable<Binary>, created_at -> BigInt, expires_at -> BigInt,
} }

diesel::table! { password_links (user_id) {
    user_id -> BigInt, made_by -> BigInt, digest -> Binary, created_at -> BigInt, expires_at -> BigInt,
} }

diesel::table! { usage_flushes (process_id) {
    process_id -> Text, number -> BigInt, last_used_at -> BigInt,
} }

diesel::table! { reveals (subject_id, session_id) {
    subject_id -> BigInt, session_id -> BigInt, sealed -> Binary, key_id -> Text, expires_at -> BigInt,
} }

diesel::table! { services (id) {
    id -> BigInt, name -> Text, description -> Text, digest -> Binary, hint -> Text, generation -> BigInt,
    created_at -> BigInt, created_by -> Text, token_created_at -> BigInt, token_created_by -> Text,
    last_used_at -> Nullable<BigInt>, last_used_address -> Nullable<Text>, form_nonce -> BigInt, search_key -> Text,
    revision -> BigInt,
} }

diesel::table! { signing_keys (id) {
    id -> Text, state -> Text, public_key -> Binary, certificate -> Text, sealed -> Nullable<Binary>,
    key_id -> Nullable<Text>, created_at -> BigInt, bundled_at -> Nullable<BigInt>, replaced_at -> Nullable<BigInt>,
} }

diesel::table! { token_clients (token_id, address, user_agent, day) {
    token_id -> BigInt, address -> Text, user_agent -> Text, day -> BigInt, first_used_at -> BigInt, last_used_at -> BigInt,
    reads -> BigInt, writes -> BigInt,
} }

diesel::table! { token_other_clients (token_id, day) {
    token_id -> BigInt, day -> BigInt, first_used_at -> BigInt, last_used_at -> BigInt, reads -> BigInt, writes -> BigInt,
} }

diesel::table! { repository_clients (repository_id, address, user_agent, day) {
    repository_id -> BigInt, address -> Text, user_agent -> Text, day -> BigInt, first_used_at -> BigInt,
    last_used_at -> BigInt, reads -> BigInt, writes -> BigInt,
} }

diesel::table! { repository_other_clients (repository_id, day) {
    repository_id -> BigInt, day -> BigInt, first_used_at -> BigInt, last_used_at -> BigInt, reads -> BigInt,
    writes -> BigInt,
} }

diesel::table! { daily_usage (repository_id, day) {
    repository_id -> BigInt, day -> BigInt, reads -> BigInt, writes -> BigInt,
} }

diesel::table! { token_usage (api_token_id, secret_number) {
    api_token_id -> BigInt, secret_number -> BigInt, last_used_at -> BigInt, last_used_address -> Nullable<Text>,
    reads -> BigInt, writes -> BigInt,
} }

diesel::table! { events (id) {
    id -> BigInt, at -> BigInt, actor_kind -> Text, actor_id -> Nullable<BigInt>, actor_name -> Text,
    address -> Nullable<Text>, action -> Text, subject_kind -> Text, subject_id -> Text, subject_name -> Text,
    detail -> Text, actor_token -> Nullable<BigInt>,
} }

diesel::table! { policies (name) {
    name -> Text, value -> Text,
} }

diesel::table! { locks (name) {
    name -> Text, revision -> BigInt,
} }

diesel::joinable!(user_roles -> roles (role_id));
diesel::joinable!(user_roles -> users (user_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(grants -> repositories (repository_id));
diesel::joinable!(grants -> users (user_id));
diesel::joinable!(repository_tokens -> repositories (repository_id));
diesel::joinable!(api_tokens -> users (user_id));
diesel::joinable!(api_token_secrets -> api_tokens (api_token_id));
diesel::joinable!(api_token_repositories -> repositories (repository_id));
diesel::allow_tables_to_appear_in_same_query!(
    roles,
    users,
    user_roles,
    sessions,
    repositories,
    repository_tokens,
    grants,
    password_links,
    api_tokens,
    api_token_repositories,
    api_token_secrets,
    idempotency_keys,
    locks,
    reveals,
    services,
    signing_keys,
    token_clients,
    token_other_clients,
    repository_clients,
    repository_other_clients,
    daily_usage,
    token_usage,
    events,
    policies,
    usage_flushes,
);
