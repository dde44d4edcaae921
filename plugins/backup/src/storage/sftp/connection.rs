//! The connection: SSH, the server's key, the login, and SFTP in it.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use postroom_sdk::{
    http::Reach,
    tokio::{net::TcpStream, net::lookup_host, time::timeout},
};
use russh::{
    client::{self, AuthResult, Handle},
    keys::PublicKeyOrCertificate,
    keys::{HashAlg, PrivateKeyWithHashAlg},
};
use russh_sftp::client::RawSftpSession;

use super::Login;
use crate::{config, storage::StorageError};

/// How long it may take until SFTP is ready.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a single step may take. The server may have a slow disk to bring a file to.
const STEP_TIMEOUT_SECONDS: u64 = 60;
/// A connection of which nothing is heard is asked whether it is there; after three times without an answer it is not.
const KEEPALIVE: Duration = Duration::from_secs(15);

pub(super) struct Connection {
    ssh: Handle<Server>,
    pub(super) raw: RawSftpSession,
    extensions: Vec<String>,
}

impl Connection {
    pub(super) async fn make(settings: &config::Sftp, login: &Login) -> Result<Self, StorageError> {
        timeout(CONNECT_TIMEOUT, Self::make_in_time(settings, login)).await.unwrap_or_else(|_| {
            Err(StorageError::Unreachable {
                code: "timeout".to_owned(),
                why: "SFTP: no connection in 20 seconds".to_owned(),
            })
        })
    }

    async fn make_in_time(settings: &config::Sftp, login: &Login) -> Result<Self, StorageError> {
        let stream = connect(&settings.host, settings.port).await?;
        let config = client::Config {
            keepalive_interval: Some(KEEPALIVE),
            keepalive_max: 3,
            nodelay: true,
            ..client::Config::default()
        };
        let server = Server { expected: settings.host_key.clone() };
        let mut ssh = client::connect_stream(Arc::new(config), stream, server).await.map_err(refused)?;
        let answer = match login {
            Login::Password(password) => {
                ssh.authenticate_password(&settings.username, password.expose()).await
            }
            Login::Key(key) => {
                let key = PrivateKeyWithHashAlg::new(Arc::new((**key).clone()), None);
                ssh.authenticate_publickey(&settings.username, key).await
            }
        };
        if let AuthResult::Failure { remaining_methods, .. } =
            answer.map_err(|error| refused(ConnectError::Ssh(error)))?
        {
            let setting = match login {
                Login::Password(_) => "sftp.password",
                Login::Key(_) => "sftp.private_key",
            };
            let methods: Vec<String> = remaining_methods.iter().map(|method| format!("{method:?}")).collect();
            let why = format!(
                "SFTP: the server lets {} not in; it would take {}",
                settings.username,
                methods.join(", ")
            );
            return Err(StorageError::Denied { setting, why });
        }
        let opened = async {
            let channel = ssh.channel_open_session().await?;
            channel.request_subsystem(true, "sftp").await?;
            Ok(channel)
        };
        let channel = opened.await.map_err(|error| refused(ConnectError::Ssh(error)))?;
        let raw = RawSftpSession::new(channel.into_stream());
        raw.set_timeout(STEP_TIMEOUT_SECONDS);
        let version = raw.init().await.map_err(|error| StorageError::Unreachable {
            code: "transport".to_owned(),
            why: format!("the server has SSH but no SFTP: {error}"),
        })?;
        Ok(Self { ssh, raw, extensions: version.extensions.into_keys().collect() })
    }

    pub(super) fn is_open(&self) -> bool {
        !self.ssh.is_closed()
    }

    pub(super) fn can(&self, extension: &str) -> bool {
        self.extensions.iter().any(|known| known == extension)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

/// Within the reach that requests over HTTP have.
async fn connect(host: &str, port: u16) -> Result<TcpStream, StorageError> {
    let lost = |code: &str, why: String| StorageError::Unreachable { code: code.to_owned(), why };
    let found = lookup_host((host, port))
        .await
        .map_err(|error| lost("connect", format!("SFTP: {host} cannot be looked up: {error}")))?;
    let mut failure = None;
    for address in found.filter(|address| within_reach(address.ip())) {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = Some(error),
        }
    }
    Err(match failure {
        Some(error) if error.kind() == std::io::ErrorKind::PermissionDenied => StorageError::Misconfigured {
            setting: "grant",
            why: format!("the plugin may not connect to port {port}: grant it by `grant.network`"),
        },
        Some(error) => lost("connect", format!("SFTP: no connection to {host}:{port}: {error}")),
        None => StorageError::Misconfigured {
            setting: "sftp.host",
            why: format!("{host} has no address that backups may go to"),
        },
    })
}

fn within_reach(address: IpAddr) -> bool {
    Reach::Private.allows(address)
}

/// Knows the server by its key.
pub(super) struct Server {
    expected: String,
}

#[derive(Debug)]
pub(super) enum ConnectError {
    Ssh(russh::Error),
    /// The key is another one; it has this fingerprint.
    OtherKey(String),
}

impl From<russh::Error> for ConnectError {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl client::Handler for Server {
    type Error = ConnectError;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, ConnectError> {
        let fingerprint = match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.fingerprint(HashAlg::Sha256),
            PublicKeyOrCertificate::Certificate(certificate) => {
                certificate.public_key().fingerprint(HashAlg::Sha256)
            }
        };
        let fingerprint = fingerprint.to_string();
        // Some tools end the text with the padding of Base64.
        if fingerprint.trim_end_matches('=') == self.expected.trim().trim_end_matches('=') {
            Ok(true)
        } else {
            Err(ConnectError::OtherKey(fingerprint))
        }
    }
}

fn refused(error: ConnectError) -> StorageError {
    match error {
        ConnectError::OtherKey(fingerprint) => StorageError::Misconfigured {
            setting: "sftp.host_key",
            why: format!(
                "the server has another key than expected, {fingerprint}: somebody may stand in between, or the server \
                 has a new one, or shows one of another type"
            ),
        },
        ConnectError::Ssh(russh::Error::NoCommonAlgo { kind, theirs, .. }) => StorageError::Misconfigured {
            setting: "sftp.host",
            why: format!("the server offers no {kind:?} that is safe enough, only {}", theirs.join(", ")),
        },
        ConnectError::Ssh(error) => {
            StorageError::Unreachable { code: "transport".to_owned(), why: format!("SFTP: {error}") }
        }
    }
}
