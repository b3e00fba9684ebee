//! The programs of others: nginx and Caddy with TLS, a registry, and two clients.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fmt::Debug;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;

use crate::support::process::Process;

/// Between finding a free port and taking it, somebody else may take it.
const ATTEMPTS: usize = 5;

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

/// Starts what `start` makes of a free port, until it says that it is ready.
fn on_a_free_port(ready: &str, start: impl Fn(u16) -> Process) -> (Process, u16) {
    for _ in 1..ATTEMPTS {
        let port = free_port();
        let process = start(port);
        if process.says(ready) {
            return (process, port);
        }
        let log = process.log();
        assert!(log.contains("ddress already in use"), "it does not start:\n{log}");
    }
    panic!("no port stays free");
}

/// A proxy from a temporary folder, with TLS at one port and without at another; killed when it is dropped.
pub struct Proxy {
    process: Process,
    port: u16,
    plain_port: u16,
    folder: TempDir,
}

impl Proxy {
    /// nginx; `server` stands in its one server block.
    pub fn nginx(server: &str) -> Self {
        Self::nginx_with("", server)
    }

    /// The same; `upstreams` stands beside that block.
    pub fn nginx_with(upstreams: &str, server: &str) -> Self {
        let folder = folder_with_certificate();
        let plain = Cell::new(0);
        let (process, port) = on_a_free_port("getrlimit(RLIMIT_NOFILE)", |port| {
            plain.set(free_port());
            // Without a master there is one process, which ends when it is killed.
            let text = format!(
                "daemon off; master_process off; pid nginx.pid; error_log stderr notice;\n\
                 events {{ worker_connections 256; }}\n\
                 http {{\n\
                 access_log off;\n\
                 client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;\n\
                 scgi_temp_path scgi;\n\
                 {upstreams}\n\
                 server {{\n\
                 listen 127.0.0.1:{port} ssl;\n\
                 listen 127.0.0.1:{};\n\
                 ssl_certificate proxy.crt;\n\
                 ssl_certificate_key proxy.key;\n\
                 {server}\n}}\n}}\n",
                plain.get()
            );
            let file = write(&folder, "nginx.conf", &text);
            Process::start(Command::new("nginx").args(["-e", "stderr", "-p"]).arg(folder.path()).arg("-c").arg(file))
        });
        Self { process, port, plain_port: plain.get(), folder }
    }

    /// Caddy; `site` stands in its one site block.
    pub fn caddy(site: &str) -> Self {
        let folder = folder_with_certificate();
        let plain = Cell::new(0);
        let (process, port) = on_a_free_port("serving initial configuration", |port| {
            plain.set(free_port());
            let text = format!(
                "{{\n\tadmin off\n\tauto_https off\n}}\n\n\
                 https://127.0.0.1:{port} {{\n\tbind 127.0.0.1\n\ttls {0}/proxy.crt {0}/proxy.key\n{site}\n}}\n\
                 http://127.0.0.1:{1} {{\n\tbind 127.0.0.1\n{site}\n}}\n",
                folder.path().display(),
                plain.get()
            );
            let file = write(&folder, "Caddyfile", &text);
            let mut command = Command::new("caddy");
            command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
            Process::start(command.env("HOME", folder.path()).env_remove("XDG_CONFIG_HOME").env_remove("XDG_DATA_HOME"))
        });
        Self { process, port, plain_port: plain.get(), folder }
    }

    /// Sends a GET without TLS; the head of the answer, and the connection behind it.
    pub fn connect(&self, path: &str, headers: &[(&str, &str)]) -> (String, Connection) {
        self.connect_with("GET", path, headers)
    }

    /// The same with another method.
    pub fn connect_with(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> (String, Connection) {
        let host = format!("127.0.0.1:{}", self.plain_port);
        let mut stream = TcpStream::connect(&host).expect("the proxy listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout can be set");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n").expect("it reads");
        let mut reader = BufReader::new(stream);
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let read = reader.read_until(b'\n', &mut head).expect("it answers");
            assert!(read > 0, "the answer ends early: {}", String::from_utf8_lossy(&head));
        }
        (String::from_utf8_lossy(&head).into_owned(), Connection(reader))
    }

    /// Host and port.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where a client of registries finds the certificate that it must trust.
    pub fn certificates(&self) -> PathBuf {
        self.folder.path().join("trusted")
    }

    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Asks through the proxy. The path goes out as it is.
    #[track_caller]
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.ask_with(method, path, headers, &[])
    }

    /// The same, with more arguments for curl.
    #[track_caller]
    pub fn ask_with(&self, method: &str, path: &str, headers: &[(&str, &str)], more: &[&str]) -> Reply {
        let mut command = Command::new("curl");
        command.args([
            "--disable",
            "--silent",
            "--show-error",
            "--include",
            "--path-as-is",
            "--http1.1",
            "--max-time",
            "60",
        ]);
        command.args(["--noproxy", "*", "--cacert"]).arg(self.certificates().join("ca.crt"));
        if method == "HEAD" {
            command.arg("--head");
        } else {
            command.args(["--request", method]);
        }
        for (name, value) in headers {
            // curl takes a header without a value for one to leave out, unless it ends so.
            let line = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
            command.args(["--header", &line]);
        }
        command.args(more).arg("--globoff").arg(format!("https://{}{path}", self.host()));
        let output = command.output().expect("curl runs");
        assert!(output.status.success(), "{method} {path}: {}", String::from_utf8_lossy(&output.stderr));
        Reply::parse(&String::from_utf8_lossy(&output.stdout))
    }
}

/// A connection whose first answer was read.
pub struct Connection(BufReader<TcpStream>);

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Connection {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.get_mut().write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.get_mut().flush()
    }
}

/// `proxy.crt` with its key, and once more `trusted/ca.crt`, since it signs itself.
fn folder_with_certificate() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let mut command = Command::new("openssl");
    command.args([
        "req",
        "-new",
        "-x509",
        "-days",
        "30",
        "-nodes",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ]);
    command.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
    let output = command.args(["-keyout", "proxy.key", "-out", "proxy.crt"]).current_dir(folder.path()).output();
    let output = output.expect("openssl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::create_dir(folder.path().join("trusted")).expect("a folder can be made");
    fs::copy(folder.path().join("proxy.crt"), folder.path().join("trusted/ca.crt")).expect("a file can be copied");
    folder
}

pub fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).expect("a file can be written");
    path
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
        let status = head.get(9..12).and_then(|code| code.parse().ok()).expect("an answer has a status");
        // Before the answer may stand an interim one.
        if status == 100 { Self::parse(body) } else { Self { status, headers: headers(head), body: body.to_owned() } }
    }

    #[track_caller]
    pub fn with(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The values of a header.
    pub fn header(&self, name: &str) -> Vec<&str> {
        values(&self.headers, name)
    }

    /// What reached the service behind the proxy.
    #[track_caller]
    pub fn upstream(&self) -> Reached {
        assert_eq!(self.status, 200, "{self:?}");
        let line = self.body.lines().next().unwrap_or_default();
        let head = self.body.split("\r\n\r\n").next().unwrap_or_default();
        Reached {
            line: line.trim_end_matches(" HTTP/1.1").trim_end_matches(" HTTP/1.0").to_owned(),
            headers: headers(head),
        }
    }
}

/// A request as the service behind the proxy saw it.
#[derive(Debug)]
pub struct Reached {
    /// Method and address.
    pub line: String,
    pub headers: Vec<(String, String)>,
}

impl Reached {
    pub fn header(&self, name: &str) -> Vec<&str> {
        values(&self.headers, name)
    }
}

fn headers(head: &str) -> Vec<(String, String)> {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect()
}

fn values<'a>(headers: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
}

/// Docker's registry on a free port, with its data in a temporary folder; killed when it is dropped.
pub struct Registry {
    process: Process,
    /// Host and port.
    pub host: String,
    _folder: TempDir,
}

impl Registry {
    /// `more` is added to its configuration, such as a section `auth:`.
    pub fn start(more: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let text = format!(
            "version: 0.1\n\
             log: {{ level: info, formatter: text }}\n\
             storage:\n  filesystem: {{ rootdirectory: {} }}\n  delete: {{ enabled: true }}\n  cache: {{ blobdescriptor: inmemory }}\n\
             http: {{ addr: \"127.0.0.1:0\", secret: for-one-test }}\n\
             {more}",
            folder.path().join("data").display()
        );
        let file = write(&folder, "config.yml", &text);
        let process = Process::start(Command::new("docker-registry").arg("serve").arg(file));
        let line = process.line_with("listening on ");
        let (_, rest) = line.split_once("listening on ").expect("it was found by this");
        let host: String = rest.chars().take_while(|c| c.is_ascii_digit() || ".:".contains(*c)).collect();
        Self { process, host, _folder: folder }
    }

    pub fn log(&self) -> String {
        self.process.log()
    }
}

/// Runs skopeo, with nothing of whoever runs the tests.
pub fn skopeo<T: AsRef<OsStr> + Debug>(arguments: &[T]) -> Output {
    let home = TempDir::new().expect("a temporary folder can be made");
    let mut command = Command::new("skopeo");
    command.args(["--insecure-policy", "--command-timeout", "120s"]).args(arguments);
    let command = command.env("HOME", home.path()).env("XDG_RUNTIME_DIR", home.path());
    command.env_remove("REGISTRY_AUTH_FILE").output().expect("skopeo runs")
}

/// Runs skopeo, which must succeed; returns what it printed.
#[track_caller]
pub fn skopeo_does<T: AsRef<OsStr> + Debug>(arguments: &[T]) -> String {
    let output = skopeo(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs skopeo, which must fail; returns what it complained of.
#[track_caller]
pub fn skopeo_fails<T: AsRef<OsStr> + Debug>(arguments: &[T]) -> String {
    let output = skopeo(arguments);
    assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}
