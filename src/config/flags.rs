//! The flags and environment variables as they are typed.

use clap::Args;

/// As typed. Texts, so that every problem can be told at once and by name.
#[derive(Args, Clone)]
pub struct Flags {
    /// Address and port to listen on
    #[arg(long, env = "TOKENHOUSE_LISTEN", default_value = "127.0.0.1:8080", global = true)]
    pub listen: String,
    /// Address under which people and programs reach the portal; fixes every absolute address, the accepted Host and Origin [default: the listening address over http]
    #[arg(long, env = "TOKENHOUSE_PUBLIC_URL", global = true)]
    pub public_url: Option<String>,
    /// Folder for the SQLite database and the generated key; made with mode 0700
    #[arg(long, env = "TOKENHOUSE_DATA_DIR", default_value = "./data", global = true)]
    pub data_dir: String,
    /// postgres://… for many nodes [default: embedded SQLite in the data directory]
    #[arg(long, env = "TOKENHOUSE_DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,
    /// File that holds the database URL
    #[arg(long, env = "TOKENHOUSE_DATABASE_URL_FILE", global = true)]
    pub database_url_file: Option<String>,
    /// Serve a throw-away database with people, repositories, tokens and a month of use, and print who may sign in
    #[arg(long, env = "TOKENHOUSE_DEMO", global = true)]
    pub demo: bool,
    /// File that holds the sealing key; the same on all nodes [default: secret.key in the data directory, made if missing]
    #[arg(long, env = "TOKENHOUSE_SECRET_KEY_FILE", global = true)]
    pub secret_key_file: Option<String>,
    /// Networks of proxies whose X-Forwarded-* and Forwarded headers count, divided by commas
    #[arg(long, env = "TOKENHOUSE_TRUSTED_PROXIES", default_value = "127.0.0.0/8,::1/128", global = true)]
    pub trusted_proxies: String,
    /// Name of this installation, shown in the header of each page
    #[arg(long, env = "TOKENHOUSE_INSTANCE_NAME", default_value = "Tokenhouse", global = true)]
    pub instance_name: String,
    /// Most API tokens of one user
    #[arg(long, env = "TOKENHOUSE_MAX_API_TOKENS", default_value = "5", global = true)]
    pub max_api_tokens: String,
    /// The service that tokens for container registries are made for: the `service` in a registry's configuration
    #[arg(long, env = "TOKENHOUSE_OCI_SERVICE", default_value = "registry", global = true)]
    pub oci_service: String,
    /// Seconds for which a container registry takes such a token, 60 to 3600
    #[arg(long, env = "TOKENHOUSE_OCI_TOKEN_SECONDS", default_value = "300", global = true)]
    pub oci_token_seconds: String,
    /// Minutes for which a password entry allows sensitive actions
    #[arg(long, env = "TOKENHOUSE_REAUTHENTICATION_MINUTES", default_value = "30", global = true)]
    pub reauthentication_minutes: String,
    /// Minutes without a request after which a session ends
    #[arg(long, env = "TOKENHOUSE_SESSION_IDLE_MINUTES", default_value = "30", global = true)]
    pub session_idle_minutes: String,
    /// Hours after sign-in at which a session ends in any case
    #[arg(long, env = "TOKENHOUSE_SESSION_HOURS", default_value = "12", global = true)]
    pub session_hours: String,
    /// Threads that answer requests [default: the number of cores, at most 4]
    #[arg(long, env = "TOKENHOUSE_WORKERS", global = true)]
    pub workers: Option<String>,
    /// What is logged to standard error: error, warn, info, debug or trace
    #[arg(long, env = "TOKENHOUSE_LOG_LEVEL", default_value = "info", global = true)]
    pub log_level: String,
    /// text or json
    #[arg(long, env = "TOKENHOUSE_LOG_FORMAT", default_value = "text", global = true)]
    pub log_format: String,
    /// Seconds for which a program that is asked to stop still accepts connections, while /readyz answers 503, 0 to 60
    #[arg(long, env = "TOKENHOUSE_DRAIN_SECONDS", default_value = "2", global = true)]
    pub drain_seconds: String,
    /// Most tokens that a user can create in an hour; 1000 for users with Repository Management or User Management
    #[arg(long, env = "TOKENHOUSE_TOKEN_CREATIONS_PER_HOUR", default_value = "20", global = true)]
    pub token_creations_per_hour: String,
    /// Most rotations in an hour, of a user on pages, of a user's API tokens, and of a repository's token; 1000 for the same users
    #[arg(long, env = "TOKENHOUSE_ROTATIONS_PER_HOUR", default_value = "30", global = true)]
    pub rotations_per_hour: String,
    /// Most other changes in an hour, likewise
    #[arg(long, env = "TOKENHOUSE_WRITES_PER_HOUR", default_value = "60", global = true)]
    pub writes_per_hour: String,
}
