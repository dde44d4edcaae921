//! Real servers of storages that backups go to, each on a folder and a port of its own, with a password. They end when they
//! are dropped.

mod git;
mod s3;
mod webdav;

pub use self::{
    git::{Fault, GitServer},
    s3::S3Server,
    webdav::WebdavServer,
};
