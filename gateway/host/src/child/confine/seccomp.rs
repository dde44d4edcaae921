//! Refuses system calls that a plugin has no use for.
//!
//! A list of what is refused and not of what is allowed: nobody knows what the runtime of a foreign language calls. What
//! a plugin could do to others of the same user is in it, and what it could go around the other layers by.

use std::{collections::BTreeMap, env::consts::ARCH, process};

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

use super::Applied;
use crate::sandbox::{Place, Plan};

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// `fchmodat2` on every architecture; libc has no name for it.
const FCHMODAT2: c_long = 452;
/// `setxattrat`, `removexattrat` and `file_setattr`, likewise.
const SETXATTRAT: c_long = 463;
const REMOVEXATTRAT: c_long = 466;
const FILE_SETATTR: c_long = 469;

/// Refused whatever their arguments are.
const REFUSED: [&[c_long]; 6] = [
    // Other programs, and other processes of the same user.
    &[
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_process_madvise,
        libc::SYS_process_mrelease,
        libc::SYS_kcmp,
        libc::SYS_pidfd_open,
        libc::SYS_pidfd_getfd,
        libc::SYS_pidfd_send_signal,
        libc::SYS_tkill,
        libc::SYS_setpriority,
        libc::SYS_sched_setscheduler,
        libc::SYS_sched_setparam,
        libc::SYS_sched_setattr,
        libc::SYS_ioprio_set,
        libc::SYS_migrate_pages,
        libc::SYS_move_pages,
        libc::SYS_setpgid,
        libc::SYS_setsid,
    ],
    // Rights and times of files of the same user: Landlock looks at what is opened only, and to an owner a descriptor that
    // is open for reading is enough, as of a library of the system or of an event's body.
    &[
        libc::SYS_fchmod,
        libc::SYS_fchmodat,
        FCHMODAT2,
        libc::SYS_fchown,
        libc::SYS_fchownat,
        libc::SYS_setxattr,
        libc::SYS_lsetxattr,
        libc::SYS_fsetxattr,
        libc::SYS_removexattr,
        libc::SYS_lremovexattr,
        libc::SYS_fremovexattr,
        SETXATTRAT,
        REMOVEXATTRAT,
        FILE_SETATTR,
        libc::SYS_utimensat,
    ],
    // Memory that the limit does not count, and ways for processes to meet.
    &[
        libc::SYS_memfd_create,
        libc::SYS_memfd_secret,
        libc::SYS_shmget,
        libc::SYS_shmat,
        libc::SYS_msgget,
        libc::SYS_semget,
        libc::SYS_mq_open,
        libc::SYS_userfaultfd,
    ],
    // System calls that are done without being called, and parts of the kernel with a history.
    &[
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_fanotify_init,
        libc::SYS_lookup_dcookie,
    ],
    // Namespaces, mounts, identities.
    &[
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_fsopen,
        libc::SYS_fsmount,
        libc::SYS_fsconfig,
        libc::SYS_fspick,
        libc::SYS_move_mount,
        libc::SYS_open_tree,
        libc::SYS_mount_setattr,
        libc::SYS_open_by_handle_at,
        libc::SYS_name_to_handle_at,
        libc::SYS_setuid,
        libc::SYS_setgid,
        libc::SYS_setreuid,
        libc::SYS_setregid,
        libc::SYS_setresuid,
        libc::SYS_setresgid,
        libc::SYS_setgroups,
        libc::SYS_setfsuid,
        libc::SYS_setfsgid,
        libc::SYS_capset,
        libc::SYS_personality,
    ],
    // The machine. A server is not what a plugin is.
    &[
        libc::SYS_kexec_load,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_reboot,
        libc::SYS_swapon,
        libc::SYS_swapoff,
        libc::SYS_settimeofday,
        libc::SYS_clock_settime,
        libc::SYS_clock_adjtime,
        libc::SYS_adjtimex,
        libc::SYS_acct,
        libc::SYS_quotactl,
        libc::SYS_syslog,
        libc::SYS_sethostname,
        libc::SYS_setdomainname,
        libc::SYS_vhangup,
        libc::SYS_listen,
    ],
];

/// Those of them that newer architectures never had.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[c_long] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
    libc::SYS_modify_ldt,
    libc::SYS_iopl,
    libc::SYS_ioperm,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[c_long] = &[];

pub(super) fn apply(plan: &Plan, _: &mut Vec<Place>) -> Applied {
    let arch = TargetArch::try_from(ARCH)?;
    // What these two are to do lies in memory, where a filter cannot look. Where they do not exist, callers use clone and
    // openat.
    let unknown = [libc::SYS_clone3, libc::SYS_openat2].map(|call| (call, Vec::new()));
    let unknown = Rules::from(unknown);
    install(unknown, libc::ENOSYS, arch)?;
    // A second set of numbers for the same calls, that nothing uses and that the lists here do not name.
    #[cfg(target_arch = "x86_64")]
    apply_filter(&x32::FILTER)?;
    install(rules(plan)?, libc::EPERM, arch)
}

/// Has the calls in `rules` fail with `errno`.
fn install(rules: Rules, errno: i32, arch: TargetArch) -> Applied {
    let refuse = SeccompAction::Errno(errno.unsigned_abs());
    let program: BpfProgram = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?.try_into()?;
    Ok(apply_filter(&program)?)
}

fn rules(plan: &Plan) -> Result<Rules, BackendError> {
    use SeccompCmpOp::{Eq, MaskedEq, Ne};
    let mut rules: Rules = REFUSED.concat().into_iter().map(|call| (call, Vec::new())).collect();
    rules.extend(REFUSED_HERE.iter().map(|call| (*call, Vec::new())));

    // A thread, but no process.
    rules.insert(libc::SYS_clone, any([&[(0, MaskedEq(bits(libc::CLONE_THREAD)), 0)]])?);
    // Signals and limits for itself alone.
    let own = u64::from(process::id());
    for call in [libc::SYS_kill, libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo] {
        rules.insert(call, any([&[(0, Ne, own)]])?);
    }
    for call in [libc::SYS_prlimit64, libc::SYS_sched_setaffinity] {
        rules.insert(call, any([&[(0, Ne, 0), (0, Ne, own)]])?);
    }
    // Whom a descriptor sends a signal to; and leases, for which others have to wait when they open the file.
    let owner = [libc::F_SETOWN, F_SETOWN_EX, F_SETSIG, libc::F_SETLEASE];
    let owner = owner.map(|command| [(1, Eq, bits(command))]);
    rules.insert(libc::SYS_fcntl, any(owner.each_ref().map(|rule| &rule[..]))?);
    // The same again, what types into a terminal, and what changes a file that is open for reading.
    let typed = [
        FIOSETOWN,
        SIOCSPGRP,
        TIOCSTI,
        TIOCLINUX,
        FS_IOC_SETFLAGS,
        FS_IOC_FSSETXATTR,
        FS_IOC_SETVERSION,
        FS_IOC_ENABLE_VERITY,
    ];
    let typed = typed.map(|command| [(1, Eq, command)]);
    rules.insert(libc::SYS_ioctl, any(typed.each_ref().map(|rule| &rule[..]))?);
    rules.extend(files_with_rights_of_their_owner()?);
    // Being looked into by others.
    let looks =
        [libc::PR_SET_DUMPABLE, libc::PR_SET_PTRACER, libc::PR_SET_PDEATHSIG].map(|set| [(0, Eq, bits(set))]);
    rules.insert(libc::SYS_prctl, any(looks.each_ref().map(|rule| &rule[..]))?);
    // Memory that the limit does not count: shared and of no file, or growing by itself.
    let shared = bits(libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    let growing = bits(libc::MAP_GROWSDOWN);
    rules
        .insert(libc::SYS_mmap, any([&[(3, MaskedEq(shared), shared)], &[(3, MaskedEq(growing), growing)]])?);
    rules.insert(libc::SYS_socket, sockets(plan)?);
    rules.insert(libc::SYS_socketpair, socket_pairs()?);
    // Connects without connect, which is where Landlock looks.
    let fast = bits(libc::MSG_FASTOPEN);
    for (call, flags) in [(libc::SYS_sendto, 3), (libc::SYS_sendmsg, 2), (libc::SYS_sendmmsg, 3)] {
        rules.insert(call, any([&[(flags, MaskedEq(fast), fast)]])?);
    }
    Ok(rules)
}

/// Who runs a file with one of these bits gets the rights of the user or group that the file belongs to. Folders get none:
/// the kernel drops the bits there.
fn files_with_rights_of_their_owner() -> Result<Rules, BackendError> {
    use SeccompCmpOp::MaskedEq;
    let mut rules = Rules::new();
    for bit in [libc::S_ISUID, libc::S_ISGID].map(u64::from) {
        let made = |mode| (mode, MaskedEq(bit), bit);
        // Only an open that makes a file has a mode; otherwise anything may stand there.
        let opened = |flags, mode| {
            let making = |flag| [(flags, MaskedEq(flag), flag), made(mode)];
            let (new, unnamed) = (making(bits(libc::O_CREAT)), making(O_TMPFILE_ALONE));
            any([&new[..], &unnamed[..]])
        };
        rules.entry(libc::SYS_openat).or_default().extend(opened(2, 3)?);
        rules.entry(libc::SYS_mknodat).or_default().extend(any([&[made(2)]])?);
        #[cfg(target_arch = "x86_64")]
        {
            rules.entry(libc::SYS_open).or_default().extend(opened(1, 2)?);
            rules.entry(libc::SYS_creat).or_default().extend(any([&[made(1)]])?);
            rules.entry(libc::SYS_mknod).or_default().extend(any([&[made(1)]])?);
        }
    }
    Ok(rules)
}

/// Which pairs of sockets are refused: all but streams of the machine itself. They are how runtimes wake their threads; from
/// a pair of another type datagrams go to other services of the user.
fn socket_pairs() -> Result<Vec<SeccompRule>, BackendError> {
    use SeccompCmpOp::{MaskedEq, Ne};
    let number = |number: i32| u64::from(number.unsigned_abs());
    let mut rules = any([&[(0, Ne, number(libc::AF_UNIX))]])?;
    let others = (0..=SOCKET_TYPE).filter(|kind| *kind != number(libc::SOCK_STREAM));
    for kind in others {
        rules.extend(any([&[(1, MaskedEq(SOCKET_TYPE), kind)]])?);
    }
    Ok(rules)
}

/// Which sockets are refused: all, or all but TCP and UDP. Other protocols would not be bound to the granted ports, and
/// the sockets of the machine itself lead to other services of the user.
fn sockets(plan: &Plan) -> Result<Vec<SeccompRule>, BackendError> {
    use SeccompCmpOp::{MaskedEq, Ne};
    if plan.network.is_none() {
        return Ok(Vec::new());
    }
    let number = |number: i32| u64::from(number.unsigned_abs());
    let mut rules = any([
        &[(0, Ne, number(libc::AF_INET)), (0, Ne, number(libc::AF_INET6))][..],
        &[(2, Ne, 0), (2, Ne, number(libc::IPPROTO_TCP)), (2, Ne, number(libc::IPPROTO_UDP))][..],
    ])?;
    // The type shares its argument with flags, so the wrong ones are named: 0, raw, RDM, seqpacket, DCCP, packet.
    let types = [0, libc::SOCK_RAW, libc::SOCK_RDM, libc::SOCK_SEQPACKET, libc::SOCK_DCCP, 10];
    let types = types.map(|kind| [(1, MaskedEq(SOCKET_TYPE), number(kind))]);
    rules.extend(any(types.each_ref().map(|rule| &rule[..]))?);
    Ok(rules)
}

/// Holds when `operator` does between the argument of this number, as 32 bits, and this value.
type Condition = (u8, SeccompCmpOp, u64);

/// Holds when all conditions of any of `rules` do.
fn any<const N: usize>(rules: [&[Condition]; N]) -> Result<Vec<SeccompRule>, BackendError> {
    rules
        .into_iter()
        .map(|conditions| {
            let conditions = conditions.iter().map(|(argument, operator, value)| {
                SeccompCondition::new(*argument, SeccompCmpArgLen::Dword, operator.clone(), *value)
            });
            SeccompRule::new(conditions.collect::<Result<_, _>>()?)
        })
        .collect()
}

/// Flags and commands as the kernel compares them.
const fn bits(value: i32) -> u64 {
    value.cast_unsigned() as u64
}

const F_SETOWN_EX: i32 = 15;
const F_SETSIG: i32 = 10;
const FIOSETOWN: u64 = 0x8901;
const SIOCSPGRP: u64 = 0x8902;
const TIOCSTI: u64 = 0x5412;
const TIOCLINUX: u64 = 0x541c;
const FS_IOC_SETFLAGS: u64 = 0x4008_6602;
const FS_IOC_SETVERSION: u64 = 0x4008_7602;
const FS_IOC_FSSETXATTR: u64 = 0x401c_5820;
const FS_IOC_ENABLE_VERITY: u64 = 0x4080_6685;
/// `O_TMPFILE` without the bit of `O_DIRECTORY` that it comes with.
const O_TMPFILE_ALONE: u64 = 0o20_000_000;
/// Where the type stands in what a socket is asked for with; the rest is flags.
const SOCKET_TYPE: u64 = 0xf;

/// The numbers of the x32 ABI.
#[cfg(target_arch = "x86_64")]
mod x32 {
    use seccompiler::sock_filter;

    const LOAD_NUMBER: u16 = 0x20;
    const JUMP_IF_AT_LEAST: u16 = 0x35;
    const RETURN: u16 = 0x06;
    const FIRST: u32 = 0x4000_0000;

    /// Answers them as a kernel without them does.
    pub(super) const FILTER: [sock_filter; 4] = [
        sock_filter { code: LOAD_NUMBER, jt: 0, jf: 0, k: 0 },
        sock_filter { code: JUMP_IF_AT_LEAST, jt: 0, jf: 1, k: FIRST },
        sock_filter { code: RETURN, jt: 0, jf: 0, k: libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs() },
        sock_filter { code: RETURN, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW },
    ];
}
