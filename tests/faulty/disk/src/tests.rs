use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use super::*;

/// A disk and commands that use it. Each command is a process of its own, as a gateway that is started again would be.
struct Bench {
    folder: TempDir,
    disk: Disk,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("old folder")).unwrap();
        fs::write(root.join("old"), "1111").unwrap();
        let disk = Disk::new(&root, &folder.path().join("state"), 7).unwrap();
        Self { folder, disk }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn run(&self, script: &str) -> Output {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).current_dir(self.root()).envs(self.disk.variables()).stdin(Stdio::null());
        shell.output().unwrap()
    }

    #[track_caller]
    fn does(&self, script: &str) {
        let output = self.run(script);
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    }

    #[track_caller]
    fn refuses(&self, script: &str, reason: &str) {
        let output = self.run(script);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(reason), "{script}: {said}");
    }

    fn cut(&self, keep: Keep) -> Cut {
        self.disk.cut_power(keep, &mut Random::new(1)).unwrap()
    }

    /// What a file holds; `None` when it is not there.
    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.root().join(name)).ok()
    }
}

/// Writes over a file from its beginning.
fn over(file: &str, bytes: &str) -> String {
    format!("printf {bytes} | dd of={file} conv=notrunc status=none")
}

#[track_caller]
fn check_left(script: &str, keep: Keep, file: &str, left: Option<&str>) {
    let bench = Bench::new();
    bench.does(script);
    bench.cut(keep);
    assert_eq!(bench.read(file).as_deref(), left, "{script}");
}

#[test]
fn what_was_not_synced_is_gone_and_what_was_stays() {
    check_left(&over("old", "2222"), Keep::Nothing, "old", Some("1111"));
    check_left(&over("old", "2222"), Keep::All, "old", Some("2222"));
    check_left(&format!("{}; sync old", over("old", "2222")), Keep::Nothing, "old", Some("2222"));
    let twice = format!("{}; sync old; {}", over("old", "2222"), over("old", "3333"));
    check_left(&twice, Keep::Nothing, "old", Some("2222"));
    check_left("printf 2222 >> old", Keep::Nothing, "old", Some("1111"));
    check_left("printf 2222 >> old; sync -d old", Keep::Nothing, "old", Some("11112222"));
    check_left("truncate -s 2 old", Keep::Nothing, "old", Some("1111"));
    check_left("truncate -s 2 old; sync old", Keep::Nothing, "old", Some("11"));
    check_left("truncate -s 2 old; truncate -s 4 old; sync old", Keep::Nothing, "old", Some("11\0\0"));
}

#[test]
fn a_name_is_there_once_its_folder_is_synced() {
    check_left("printf new > new; sync new", Keep::Nothing, "new", None);
    check_left("printf new > new; sync new", Keep::All, "new", Some("new"));
    check_left("printf new > new; sync .", Keep::Nothing, "new", Some(""));
    check_left("printf new > new; sync new .", Keep::Nothing, "new", Some("new"));
    check_left("mv old moved", Keep::Nothing, "old", Some("1111"));
    check_left("mv old moved; sync .", Keep::Nothing, "old", None);
    check_left("mv old moved; sync .", Keep::Nothing, "moved", Some("1111"));
    check_left("printf new > new; sync new; mv new old", Keep::Nothing, "old", Some("1111"));
    check_left("printf new > new; sync new; mv new old; sync .", Keep::Nothing, "old", Some("new"));
    check_left("rm old", Keep::Nothing, "old", Some("1111"));
    check_left("rm old; sync .", Keep::Nothing, "old", None);
    check_left("mkdir new; printf x > new/x; sync new/x new", Keep::Nothing, "new/x", None);
    check_left("mkdir new; printf x > new/x; sync new/x new .", Keep::Nothing, "new/x", Some("x"));
    check_left(
        "printf x > 'old folder/x'; sync 'old folder/x'  'old folder'",
        Keep::Nothing,
        "old folder/x",
        Some("x"),
    );
}

#[test]
fn a_file_may_keep_any_of_its_sectors() {
    // Through dd, because other tools write past the functions that a library can stand in for.
    let fill = |byte| {
        format!("head -c 65536 /dev/zero | tr '\\0' {byte} | dd of=big bs=8192 conv=notrunc status=none")
    };
    let mut mixed = false;
    for seed in 0..8 {
        let bench = Bench::new();
        bench.does(&format!("{}; sync big .; {}", fill('a'), fill('b')));
        bench.disk.cut_power(Keep::Some, &mut Random::new(seed)).unwrap();
        let left = bench.read("big").unwrap();
        for sector in left.as_bytes().chunks(512) {
            assert!(sector.iter().all(|byte| byte == &sector[0]), "a sector is torn");
        }
        mixed |= left.contains('a') && left.contains('b');
    }
    assert!(mixed, "no cut left old beside new");
}

#[test]
fn a_sync_that_failed_has_lost_what_it_was_to_write() {
    for (forget, read) in [(false, "2222"), (true, "1111")] {
        let bench = Bench::new();
        bench.disk.forget_after_failed_sync(forget).unwrap();
        bench.does(&over("old", "2222"));
        bench.disk.fail(Call::Sync, 0, Some(1), Effect::BrokenDisk).unwrap();
        bench.refuses("sync old", "Input/output error");
        assert_eq!(bench.read("old").unwrap(), read, "the process reads on");
        bench.does("sync old");
        bench.cut(Keep::All);
        assert_eq!(bench.read("old").unwrap(), "1111", "no later sync brings it");
    }
}

#[test]
fn what_is_written_again_after_a_failed_sync_can_be_synced() {
    let bench = Bench::new();
    bench.does(&over("old", "2222"));
    bench.disk.fail(Call::Sync, 0, Some(1), Effect::BrokenDisk).unwrap();
    bench.refuses("sync old", "Input/output error");
    bench.does(&format!("{}; sync old", over("old", "3333")));
    bench.cut(Keep::Nothing);
    assert_eq!(bench.read("old").unwrap(), "3333");
}

#[test]
fn calls_fail_when_they_are_told_to() {
    let bench = Bench::new();
    bench.disk.fail(Call::Write, 1, Some(1), Effect::NoSpace).unwrap();
    bench.does(&over("old", "2222"));
    bench.refuses(&over("old", "3333"), "No space left");
    bench.does(&over("old", "4444"));
    assert_eq!(bench.disk.calls(Call::Write).unwrap(), 3);

    bench.disk.fail(Call::Write, 0, None, Effect::Short).unwrap();
    bench.refuses("dd if=/dev/zero of=long bs=1000 count=1 status=none", "No space left");
    let short = bench.read("long").unwrap().len();
    assert!((1..1000).contains(&short), "{short} bytes were written");
    bench.disk.heal().unwrap();

    for (call, script) in [
        (Call::Create, "dd if=/dev/null of=fresh status=none"),
        (Call::Resize, "truncate -s 1 old"),
        (Call::Sync, "sync old"),
        (Call::SyncFolder, "sync ."),
    ] {
        bench.disk.fail(call, 0, Some(1), Effect::BrokenDisk).unwrap();
        bench.refuses(script, "Input/output error");
        bench.does(script);
    }
    bench.does("printf x > /dev/null; printf 'somewhere else' > ../elsewhere; rm ../elsewhere");
}

#[test]
fn a_process_can_end_in_a_call() {
    let bench = Bench::new();
    bench.disk.fail(Call::Sync, 0, Some(1), Effect::Kill).unwrap();
    let script = format!("{}; sync old; echo survived", over("old", "2222"));
    let output = bench.run(&script);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "survived\n", "the shell is not the one that syncs");
    bench.disk.fail(Call::Sync, 0, Some(1), Effect::Kill).unwrap();
    assert!(!bench.run("exec sync old").status.success());
    bench.cut(Keep::Nothing);
    assert_eq!(bench.read("old").unwrap(), "1111");
}

#[test]
fn the_wall_clock_moves() {
    let bench = Bench::new();
    let year =
        |bench: &Bench| String::from_utf8(bench.run("date -u +%Y").stdout).unwrap().trim().parse::<i64>();
    let now = year(&bench).unwrap();
    bench.disk.set_clock_offset(-10 * 366 * 86_400_000).unwrap();
    assert!((9..=11).contains(&(now - year(&bench).unwrap())));
    bench.disk.set_clock_offset(10 * 366 * 86_400_000 + 1).unwrap();
    assert!((9..=11).contains(&(year(&bench).unwrap() - now)));
}

#[test]
fn a_write_that_was_not_seen_is_an_error_and_no_proof() {
    let bench = Bench::new();
    bench.does(&format!("{}; sync old", over("old", "2222")));
    fs::write(bench.root().join("old"), "3333").unwrap();
    let error = bench.disk.cut_power(Keep::Nothing, &mut Random::new(1)).unwrap_err();
    assert!(error.to_string().contains("past the faulty disk"), "{error}");
}
