//! What every storage promises, as one suite that each of them passes.

use bytes::Bytes;

use super::{Entry, Storage, StorageError, Write, doubles::cut::Line};

/// Larger than every buffer and every packet on the way.
const LARGE: usize = 20 * 1024 * 1024;

/// Much more than passes before a line is cut.
const CUT: usize = 2 * 1024 * 1024;

/// Names as people give them to collections, in the folders that the vault makes.
const ODD_NAMES: [&str; 7] = [
    "odd/a b.json",
    "odd/日本語 コレクション.json",
    "odd/Käse & Brot #1 (100%) +1 @home.json",
    "odd/it's \"quoted\"; a=b, [x] {y} ~z ^ `q`.json",
    "odd/50%25 off?.json",
    "odd/.hidden",
    "odd/with space/below + more.json",
];

#[track_caller]
fn file(name: &str, bytes: usize) -> Entry {
    Entry { name: name.to_owned(), is_folder: false, bytes: Some(bytes as u64), modified_unix_ms: None }
}

#[track_caller]
fn folder(name: &str) -> Entry {
    Entry { name: name.to_owned(), is_folder: true, bytes: None, modified_unix_ms: None }
}

/// The list of a folder, without times.
async fn list(storage: &Storage, path: &str) -> Vec<Entry> {
    let entries = storage.list(path).await.unwrap();
    entries.into_iter().map(|entry| Entry { modified_unix_ms: None, ..entry }).collect()
}

async fn write(storage: &Storage, path: &str, bytes: &str, how: Write) {
    storage.write(path, Bytes::copy_from_slice(bytes.as_bytes()), how).await.unwrap();
}

async fn read(storage: &Storage, path: &str) -> Option<String> {
    storage.read(path).await.unwrap().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

/// Checks an empty storage through and through; `odd` leaves names out that the service itself does not allow.
pub(super) async fn check(storage: &Storage, odd: impl Fn(&str) -> bool) {
    check_absent(storage).await;
    check_writes(storage).await;
    check_lists(storage).await;
    check_odd_names(storage, odd).await;
    check_paths(storage).await;
    check_large(storage).await;
    check_rivals(storage).await;
}

async fn check_absent(storage: &Storage) {
    assert_eq!(storage.read("absent/a.json").await.unwrap(), None);
    assert_eq!(storage.exists("absent/a.json").await.unwrap(), None);
    assert_eq!(list(storage, "absent").await, []);
    assert_eq!(list(storage, "").await, []);
    storage.delete("absent/a.json").await.unwrap();
}

async fn check_writes(storage: &Storage) {
    write(storage, "w/a.json", "first", Write::New).await;
    assert_eq!(read(storage, "w/a.json").await.as_deref(), Some("first"));
    assert_eq!(storage.exists("w/a.json").await.unwrap(), Some(5));

    let second = storage.write("w/a.json", Bytes::from_static(b"second"), Write::New).await;
    assert_eq!(second, Err(StorageError::Exists));
    assert_eq!(read(storage, "w/a.json").await.as_deref(), Some("first"));

    write(storage, "w/a.json", "third, and longer", Write::Replace).await;
    assert_eq!(read(storage, "w/a.json").await.as_deref(), Some("third, and longer"));
    write(storage, "w/a.json", "4", Write::Replace).await;
    assert_eq!(read(storage, "w/a.json").await.as_deref(), Some("4"));
    assert_eq!(storage.exists("w/a.json").await.unwrap(), Some(1));
    write(storage, "w/new.json", "replaces nothing", Write::Replace).await;
    assert_eq!(storage.exists("w/new.json").await.unwrap(), Some(16));

    for name in ["w/a.json", "w/new.json"] {
        storage.delete(name).await.unwrap();
        assert_eq!(storage.exists(name).await.unwrap(), None);
        assert_eq!(storage.read(name).await.unwrap(), None);
        storage.delete(name).await.unwrap();
    }
    assert_eq!(list(storage, "w").await, []);
    write(storage, "w/a.json", "again", Write::New).await;
    assert_eq!(read(storage, "w/a.json").await.as_deref(), Some("again"));
    storage.delete("w/a.json").await.unwrap();
}

async fn check_lists(storage: &Storage) {
    for path in ["l/ab/1", "l/ab/22", "l/ab/deep/er/3", "l/abc/4", "l/ab.json", "l/zz"] {
        write(storage, path, path, Write::New).await;
    }
    assert_eq!(list(storage, "l").await, [folder("ab"), file("ab.json", 9), folder("abc"), file("zz", 4)]);
    assert_eq!(list(storage, "l/ab").await, [file("1", 6), file("22", 7), folder("deep")]);
    assert_eq!(list(storage, "l/ab/deep").await, [folder("er")]);
    assert_eq!(list(storage, "l/a").await, []);
    // A folder is no file; some services say so by a refusal.
    assert!(!matches!(storage.exists("l/ab").await, Ok(Some(_))));
    assert!(!matches!(storage.read("l/ab").await, Ok(Some(_))));
    assert!(list(storage, "").await.contains(&folder("l")));
    // More than a page of the doubles, and numbers do not sort like text.
    for number in 0..12 {
        write(storage, &format!("many/{number}"), "x", Write::New).await;
    }
    let mut names: Vec<_> = (0..12).map(|number| file(&number.to_string(), 1)).collect();
    names.sort();
    assert_eq!(list(storage, "many").await, names);
}

async fn check_odd_names(storage: &Storage, odd: impl Fn(&str) -> bool) {
    let long = format!("odd/{}.json", "n".repeat(195));
    let names: Vec<&str> =
        ODD_NAMES.iter().copied().chain([long.as_str()]).filter(|name| odd(name)).collect();
    for name in &names {
        write(storage, name, name, Write::New).await;
        let again = storage.write(name, Bytes::from_static(b"x"), Write::New).await;
        assert_eq!(again, Err(StorageError::Exists), "{name}");
    }
    for name in &names {
        assert_eq!(read(storage, name).await.as_deref(), Some(*name));
        let (folder, own) = name.rsplit_once('/').unwrap();
        let entries = list(storage, folder).await;
        assert!(entries.contains(&file(own, name.len())), "{name}: {entries:?}");
    }
    for name in &names {
        storage.delete(name).await.unwrap();
        assert_eq!(storage.exists(name).await.unwrap(), None, "{name}");
    }
}

async fn check_paths(storage: &Storage) {
    for path in ["", "../a", "a/../../b", "/etc/passwd", "a//b", "a/", "a\\..\\b", "a\0b"] {
        let refused = |result: Result<(), StorageError>| {
            assert!(matches!(result, Err(StorageError::Misconfigured { .. })), "{path:?}: {result:?}");
        };
        refused(storage.read(path).await.map(drop));
        refused(storage.write(path, Bytes::from_static(b"x"), Write::Replace).await);
        refused(storage.delete(path).await);
        refused(storage.exists(path).await.map(drop));
        if !path.is_empty() {
            refused(storage.list(path).await.map(drop));
        }
    }
}

fn body(seed: u64, bytes: usize) -> Bytes {
    // Not to be compressed, and no two places alike.
    let mut state = seed;
    let words = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(bytes / 8).flatten().collect()
}

async fn check_large(storage: &Storage) {
    let body = self::body(1, LARGE);
    storage.write("large.bin", body.clone(), Write::New).await.unwrap();
    assert_eq!(storage.exists("large.bin").await.unwrap(), Some(LARGE as u64));
    assert!(storage.read("large.bin").await.unwrap().unwrap() == body, "20 MiB come back as they were");
    let body = self::body(2, LARGE);
    storage.write("large.bin", body.clone(), Write::Replace).await.unwrap();
    assert!(storage.read("large.bin").await.unwrap().unwrap() == body, "20 MiB take the place of others");
    storage.delete("large.bin").await.unwrap();
}

/// Two writers at the same moment: one of the bodies is there, whole.
async fn check_rivals(storage: &Storage) {
    let bodies = [Bytes::from(vec![1; 100_000]), Bytes::from(vec![2; 100_000])];
    for how in [Write::New, Write::Replace] {
        let path = format!("rivals/{how:?}");
        let (one, two) = tokio::join!(
            storage.write(&path, bodies[0].clone(), how),
            storage.write(&path, bodies[1].clone(), how),
        );
        let won = [&one, &two].into_iter().filter(|result| result.is_ok()).count();
        assert!(won >= 1, "{one:?} {two:?}");
        let kept = storage.read(&path).await.unwrap().unwrap();
        assert!(bodies.contains(&kept), "{path} is neither the one nor the other");
        for result in [one, two] {
            // A busy service is one that the gateway tries again.
            assert!(
                matches!(result, Ok(()) | Err(StorageError::Exists | StorageError::Busy { .. })),
                "{result:?}"
            );
        }
    }
}

/// A line that is cut in the middle of an upload: nothing is to be seen, and the next try succeeds.
pub(super) async fn check_interrupted(storage: &Storage, line: &Line) {
    write(storage, "cut/before", "there", Write::New).await;
    let body = self::body(3, CUT);
    for how in [Write::New, Write::Replace] {
        line.cut_after(300_000);
        let broken = storage.write("cut/body", body.clone(), how).await;
        line.mend();
        assert!(matches!(broken, Err(StorageError::Unreachable { .. })), "{broken:?}");
        assert_eq!(storage.exists("cut/body").await.unwrap(), None);
        assert_eq!(storage.read("cut/body").await.unwrap(), None);
        assert_eq!(list(storage, "cut").await, [file("before", 5)]);
    }
    storage.write("cut/body", body.clone(), Write::New).await.unwrap();
    // Nor does an interrupted replacement take away what is there.
    line.cut_after(300_000);
    let broken = storage.write("cut/body", self::body(4, CUT), Write::Replace).await;
    line.mend();
    assert!(matches!(broken, Err(StorageError::Unreachable { .. })), "{broken:?}");
    assert!(storage.read("cut/body").await.unwrap().unwrap() == body, "the earlier body stays");
}
