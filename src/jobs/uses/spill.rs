//! What the end of the program leaves no time to write, kept in a file in the data directory until the next start.
//! The first line says format and process, each further one is a part with its number.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::parts::{self, Part};
use super::{CHUNK, Uses, take_all};
use crate::domain::caller::{Caller, UsedToken};
use crate::domain::id::NotAnId;
use crate::domain::timestamp::Timestamp;
use crate::storage::callers::Gathered;
use crate::storage::{Db, Result as StorageResult};

const FORMAT: u32 = 2;
const PREFIX: &str = "usage-";
const SUFFIX: &str = ".jsonl";
const PRIVATE_FILE: u32 = 0o600;

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    process: String,
}

#[derive(Serialize, Deserialize)]
struct SpilledPart {
    number: i64,
    counts: Vec<SpilledCount>,
}

#[derive(Serialize, Deserialize)]
struct SpilledCount {
    token: SpilledToken,
    repository: Option<String>,
    day: i64,
    address: String,
    user_agent: String,
    first_used_at: i64,
    last_used_at: i64,
    uses: i64,
    writes: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SpilledToken {
    Api(String, i64),
    Repository(String, String),
    Service(String),
}

impl Uses {
    /// Keeps what is not written in a file. To be called at the end, when no flush is under way.
    pub fn spill(&self) -> io::Result<()> {
        let mut flushing = self.flushing.try_lock().map_err(io::Error::other)?;
        for shard in &self.tokens {
            take_all(shard, &mut flushing.taken);
        }
        flushing.sort();
        let mut parts: Vec<_> = flushing.part.take().into_iter().collect();
        while flushing.next_part(CHUNK, true).is_some() {
            parts.extend(flushing.part.take());
        }
        if parts.is_empty() {
            return Ok(());
        }
        write(&self.folder, &flushing.process_id, &parts)
    }

    /// Writes what former processes kept in files, and removes these. An error means that the database did not take it;
    /// what is wrong with a file is logged.
    pub async fn write_spilled(&self, db: &Db) -> StorageResult<()> {
        if self.has_read_spilled.load(Ordering::Relaxed) {
            return Ok(());
        }
        let files = files(&self.folder).unwrap_or_else(|error| {
            tracing::warn!(%error, "the data directory cannot be searched for uses of tokens that were kept in a file");
            Vec::new()
        });
        for path in files {
            self.write_file(db, &path).await?;
        }
        self.has_read_spilled.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn write_file(&self, db: &Db, path: &Path) -> StorageResult<()> {
        let mut reader = match Reader::open(path) {
            Ok(reader) => reader,
            Err(error) => {
                leave(path, &error);
                return Ok(());
            }
        };
        loop {
            let start = Instant::now();
            match reader.next_part() {
                Ok(Some(part)) => parts::write(db, &reader.process, &part).await?,
                Ok(None) => break,
                Err(error) => {
                    leave(path, &error);
                    return Ok(());
                }
            }
            self.rest_after(start).await;
        }
        if let Err(error) = std::fs::remove_file(path) {
            tracing::warn!(%error, path = %path.display(), "a file whose content is in the database cannot be removed");
        }
        Ok(())
    }
}

/// A file that cannot be read stays where it is.
fn leave(path: &Path, error: &io::Error) {
    let path = path.display();
    tracing::warn!(%error, %path, "uses of tokens that were kept in a file cannot be read; delete the file");
}

/// Writes the parts of a process. The file appears whole or not at all.
fn write(folder: &Path, process: &str, parts: &[Part]) -> io::Result<()> {
    let path = folder.join(format!("{PREFIX}{process}{SUFFIX}"));
    let unfinished = path.with_extension("unfinished");
    let written = write_whole(&unfinished, process, parts).and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        // Half a file is worth nothing, and the disk may be full.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

fn write_whole(path: &Path, process: &str, parts: &[Part]) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(PRIVATE_FILE).open(path)?;
    let mut writer = BufWriter::new(file);
    line(&mut writer, &Header { format: FORMAT, process: process.to_owned() })?;
    for part in parts {
        let counts = part.counts.iter().map(SpilledCount::from).collect();
        line(&mut writer, &SpilledPart { number: part.number, counts })?;
    }
    writer.into_inner()?.sync_all()
}

fn line(writer: &mut impl io::Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *writer, value)?;
    writer.write_all(b"\n")
}

/// The files in a folder.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(PREFIX) && name.ends_with(SUFFIX) {
            files.push(path);
        }
    }
    Ok(files)
}

/// A file that is read part by part.
struct Reader {
    process: String,
    lines: io::Lines<BufReader<File>>,
}

impl Reader {
    fn open(path: &Path) -> io::Result<Self> {
        let mut lines = BufReader::new(File::open(path)?).lines();
        let header: Header = serde_json::from_str(&lines.next().unwrap_or_else(|| Ok(String::new()))?)?;
        if header.format != FORMAT {
            return Err(io::Error::other(format!("its format is {}, and this version reads {FORMAT}", header.format)));
        }
        Ok(Self { process: header.process, lines })
    }

    fn next_part(&mut self) -> io::Result<Option<Part>> {
        let Some(line) = self.lines.next().transpose()? else { return Ok(None) };
        let part: SpilledPart = serde_json::from_str(&line)?;
        let counts: Result<Vec<Gathered>, NotAnId> = part.counts.into_iter().map(Gathered::try_from).collect();
        let counts = Arc::new(counts.map_err(io::Error::other)?);
        Ok(Some(Part { number: part.number, counts, bytes: 0 }))
    }
}

impl From<&Gathered> for SpilledCount {
    fn from(one: &Gathered) -> Self {
        Self {
            token: match one.token {
                UsedToken::Api(id, number) => SpilledToken::Api(id.to_string(), number),
                UsedToken::Repository { repository, token } => {
                    SpilledToken::Repository(repository.to_string(), token.to_string())
                }
                UsedToken::Service(id) => SpilledToken::Service(id.to_string()),
            },
            repository: one.repository.map(|id| id.to_string()),
            day: one.day,
            address: one.caller.address.clone(),
            user_agent: one.caller.user_agent.clone(),
            first_used_at: one.caller.first_used_at.unix(),
            last_used_at: one.caller.last_used_at.unix(),
            uses: one.caller.uses,
            writes: one.caller.writes,
        }
    }
}

impl TryFrom<SpilledCount> for Gathered {
    type Error = NotAnId;

    fn try_from(one: SpilledCount) -> Result<Self, NotAnId> {
        Ok(Self {
            token: match one.token {
                SpilledToken::Api(id, number) => UsedToken::Api(id.parse()?, number),
                SpilledToken::Repository(repository, token) => {
                    UsedToken::Repository { repository: repository.parse()?, token: token.parse()? }
                }
                SpilledToken::Service(id) => UsedToken::Service(id.parse()?),
            },
            repository: one.repository.map(|id| id.parse()).transpose()?,
            day: one.day,
            caller: Caller {
                address: one.address,
                user_agent: one.user_agent,
                first_used_at: Timestamp::from_unix(one.first_used_at),
                last_used_at: Timestamp::from_unix(one.last_used_at),
                uses: one.uses,
                writes: one.writes,
            },
        })
    }
}

/// Process and parts of a file.
#[cfg(test)]
pub(super) fn read(path: &Path) -> io::Result<(String, Vec<Part>)> {
    let mut reader = Reader::open(path)?;
    let parts: io::Result<Vec<Part>> = std::iter::from_fn(|| reader.next_part().transpose()).collect();
    Ok((reader.process, parts?))
}
