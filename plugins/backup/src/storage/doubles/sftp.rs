//! An SFTP server with the SSH of `russh`, on a folder.

use std::{
    collections::HashMap,
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::FileExt as _,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use russh::{
    Channel, ChannelId,
    keys::{HashAlg, PrivateKey, ssh_key},
    server::{self, Auth, Msg, Session, VerifiedPublicKey},
};
use russh_sftp::protocol::{
    Attrs, Data, File, FileAttributes, Handle, Name, OpenFlags, Packet, Status, StatusCode, Version,
};
use tokio::{net::TcpListener, task::JoinSet};

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from(ssh_key::private::Ed25519Keypair::from_seed(&[seed; 32]))
}

/// The key of the user, as OpenSSH writes it, and as the gateway gives it: without the last end of line.
pub(crate) fn user_key() -> String {
    key(2).to_openssh(ssh_key::LineEnding::LF).unwrap().trim_end().to_owned()
}

#[derive(Debug)]
pub(crate) struct SftpServer {
    pub(crate) address: SocketAddr,
    pub(crate) fingerprint: String,
    /// Requests by name, such as "fsync@openssh.com".
    pub(crate) extended: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

impl SftpServer {
    /// With the extensions of OpenSSH, or with the standard alone.
    pub(crate) async fn start(root: PathBuf, is_openssh: bool) -> Self {
        let config = Arc::new(server::Config {
            keys: vec![key(1)],
            auth_rejection_time: Duration::ZERO,
            auth_rejection_time_initial: Some(Duration::ZERO),
            ..server::Config::default()
        });
        let extended: Arc<Mutex<Vec<String>>> = Arc::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut serving = JoinSet::new();
        let seen = Arc::clone(&extended);
        serving.spawn(async move {
            let mut sessions = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let ssh = Ssh {
                    root: root.clone(),
                    is_openssh,
                    extended: Arc::clone(&seen),
                    channels: HashMap::new(),
                };
                let config = Arc::clone(&config);
                sessions.spawn(async move {
                    // A client that hangs up is what some tests are about.
                    if let Ok(session) = server::run_stream(config, stream, ssh).await {
                        session.await.ok();
                    }
                });
            }
        });
        let fingerprint = key(1).public_key().fingerprint(HashAlg::Sha256).to_string();
        Self { address, fingerprint, extended, _serving: serving }
    }
}

struct Ssh {
    root: PathBuf,
    is_openssh: bool,
    extended: Arc<Mutex<Vec<String>>>,
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl server::Handler for Ssh {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        Ok(if user == "me" && password == "p4ssw0rd!" { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        given: VerifiedPublicKey<'_>,
    ) -> Result<Auth, russh::Error> {
        let known = user == "me" && given.public_key.key_data() == key(2).public_key().key_data();
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: server::ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        assert_eq!(name, "sftp");
        let channel = self.channels.remove(&id).unwrap();
        session.channel_success(id)?;
        let sftp = Sftp {
            root: self.root.clone(),
            is_openssh: self.is_openssh,
            extended: Arc::clone(&self.extended),
            files: HashMap::new(),
            folders: HashMap::new(),
            next: AtomicU64::new(0),
        };
        russh_sftp::server::run(channel.into_stream(), sftp).await;
        Ok(())
    }
}

struct Sftp {
    root: PathBuf,
    is_openssh: bool,
    extended: Arc<Mutex<Vec<String>>>,
    files: HashMap<String, fs::File>,
    /// Entries that are yet to be given.
    folders: HashMap<String, Vec<File>>,
    next: AtomicU64,
}

impl Sftp {
    fn place(&self, path: &str) -> PathBuf {
        let path = path.trim_start_matches('/');
        assert!(path.split('/').all(|part| part != ".."), "{path} leads elsewhere");
        self.root.join(path)
    }

    fn handle(&self) -> String {
        self.next.fetch_add(1, Ordering::Relaxed).to_string()
    }

    fn attributes(&self, path: &str) -> io::Result<FileAttributes> {
        fs::metadata(self.place(path)).map(|found| FileAttributes::from(&found))
    }
}

fn status(error: io::Error) -> StatusCode {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => StatusCode::NoSuchFile,
        io::ErrorKind::PermissionDenied => StatusCode::PermissionDenied,
        _ => StatusCode::Failure,
    }
}

fn ok(id: u32) -> Status {
    Status { id, status_code: StatusCode::Ok, error_message: String::new(), language_tag: String::new() }
}

impl russh_sftp::server::Handler for Sftp {
    type Error = StatusCode;

    fn unimplemented(&self) -> StatusCode {
        StatusCode::OpUnsupported
    }

    async fn init(&mut self, _: u32, _: HashMap<String, String>) -> Result<Version, StatusCode> {
        let mut version = Version::new();
        if self.is_openssh {
            for name in ["posix-rename@openssh.com", "fsync@openssh.com"] {
                version.extensions.insert(name.to_owned(), "1".to_owned());
            }
        }
        Ok(version)
    }

    async fn open(
        &mut self,
        id: u32,
        path: String,
        flags: OpenFlags,
        _: FileAttributes,
    ) -> Result<Handle, StatusCode> {
        let file = fs::OpenOptions::from(flags).open(self.place(&path)).map_err(status)?;
        let handle = self.handle();
        self.files.insert(handle.clone(), file);
        Ok(Handle { id, handle })
    }

    async fn close(&mut self, id: u32, handle: String) -> Result<Status, StatusCode> {
        let known = self.files.remove(&handle).is_some() | self.folders.remove(&handle).is_some();
        known.then(|| ok(id)).ok_or(StatusCode::Failure)
    }

    async fn read(&mut self, id: u32, handle: String, offset: u64, len: u32) -> Result<Data, StatusCode> {
        let file = self.files.get(&handle).ok_or(StatusCode::Failure)?;
        // Less than asked for, as servers may.
        let mut data = vec![0; (len as usize).min(30_000)];
        let count = file.read_at(&mut data, offset).map_err(status)?;
        data.truncate(count);
        if count == 0 { Err(StatusCode::Eof) } else { Ok(Data { id, data }) }
    }

    async fn write(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        data: Vec<u8>,
    ) -> Result<Status, StatusCode> {
        assert!(data.len() <= 32_768, "every server takes as much, not more");
        let file = self.files.get(&handle).ok_or(StatusCode::Failure)?;
        file.write_all_at(&data, offset).map_err(status)?;
        Ok(ok(id))
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Result<Attrs, StatusCode> {
        let file = self.files.get(&handle).ok_or(StatusCode::Failure)?;
        Ok(Attrs { id, attrs: FileAttributes::from(&file.metadata().map_err(status)?) })
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, StatusCode> {
        Ok(Attrs { id, attrs: self.attributes(&path).map_err(status)? })
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, StatusCode> {
        let mut files = vec![File::dummy("."), File::dummy("..")];
        for entry in fs::read_dir(self.place(&path)).map_err(status)? {
            let entry = entry.map_err(status)?;
            let attributes = FileAttributes::from(&entry.metadata().map_err(status)?);
            files.push(File::new(entry.file_name().into_string().unwrap(), attributes));
        }
        let handle = self.handle();
        self.folders.insert(handle.clone(), files);
        Ok(Handle { id, handle })
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Result<Name, StatusCode> {
        let left = self.folders.get_mut(&handle).ok_or(StatusCode::Failure)?;
        if left.is_empty() {
            return Err(StatusCode::Eof);
        }
        let count = left.len().min(3);
        Ok(Name { id, files: left.drain(..count).collect() })
    }

    async fn remove(&mut self, id: u32, path: String) -> Result<Status, StatusCode> {
        fs::remove_file(self.place(&path)).map_err(status)?;
        Ok(ok(id))
    }

    async fn mkdir(&mut self, id: u32, path: String, _: FileAttributes) -> Result<Status, StatusCode> {
        fs::create_dir(self.place(&path)).map_err(status)?;
        Ok(ok(id))
    }

    async fn rename(&mut self, id: u32, from: String, to: String) -> Result<Status, StatusCode> {
        let (from, to) = (self.place(&from), self.place(&to));
        // The standard says that a rename replaces nothing.
        fs::hard_link(&from, to).map_err(status)?;
        fs::remove_file(from).map_err(status)?;
        Ok(ok(id))
    }

    async fn extended(&mut self, id: u32, request: String, data: Vec<u8>) -> Result<Packet, StatusCode> {
        self.extended.lock().unwrap().push(request.clone());
        if !self.is_openssh {
            return Err(StatusCode::OpUnsupported);
        }
        let mut texts = texts(&data).into_iter();
        match request.as_str() {
            "fsync@openssh.com" => {
                let file = self.files.get(&texts.next().unwrap()).ok_or(StatusCode::Failure)?;
                file.sync_all().map_err(status)?;
            }
            "posix-rename@openssh.com" => {
                let (from, to) = (texts.next().unwrap(), texts.next().unwrap());
                fs::rename(self.place(&from), self.place(&to)).map_err(status)?;
            }
            _ => return Err(StatusCode::OpUnsupported),
        }
        Ok(Packet::Status(ok(id)))
    }
}

/// Texts with their lengths before them.
fn texts(mut data: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some((length, rest)) = data.split_first_chunk() {
        let (text, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        texts.push(String::from_utf8(text.to_vec()).unwrap());
        data = rest;
    }
    texts
}
