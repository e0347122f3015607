/*
 * confine [options] -- PROGRAM [ARGUMENT…]
 *
 * Becomes a user, gives up what that user must not have, and executes a program. Everything that is given up here is
 * given up for all children too. Statically linked, no configuration: it is started for every agent.
 *
 *   --user UID:GID[,GID…]   user, group and all supplementary groups
 *   --keep CAP[,CAP…]       of setuid, setgid, kill: kept, also by what is executed (ambient); all others are dropped
 *   --exec PATH             Landlock: programs may be executed (and read) here, and nowhere else
 *   --read PATH             Landlock: may be read here, and nowhere else
 *   --write PATH            Landlock: may be written (and read) here, and nowhere else
 *   --without-landlock      as on a kernel that has none
 *   --deny-memfd            seccomp: no files that exist in memory only, which could be executed from no mount
 *   --privileged-children   without no_new_privs, so that file capabilities work; excludes Landlock and seccomp
 *   --report FD             stays as the program's parent, which knows its raw wait status, and writes one line each to FD:
 *                           `pid N` once the program is executed, then `code N` or `signal N` when it has ended; instead
 *                           of both, `failed CODE REASON` if it could not be executed
 *   --probe                 prints what the kernel offers and ends
 *
 * A path may be a directory with all below it. One that is missing allows nothing. A kind of access for which there is
 * no option stays as it was. A kernel without Landlock, or with its first version, which forbids every move between
 * directories, ignores these options: `--probe` says so.
 *
 * Exit code: 126 cannot be executed, 127 not found, 125 anything else that failed here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Not every libc's headers know these; the numbers are the same on x86_64 and arm64. */
#define LANDLOCK_CREATE_RULESET 444
#define LANDLOCK_ADD_RULE 445
#define LANDLOCK_RESTRICT_SELF 446
#define LANDLOCK_VERSION_FLAG 1
#define LANDLOCK_PATH_BENEATH 1
#define IO_URING_SETUP 425
#define MEMFD_SECRET 447
#define CLOSE_RANGE 436

/* Rights of Landlock's file system part, from the kernel's include/uapi/linux/landlock.h. */
#define FS_EXECUTE (1ULL << 0)
#define FS_WRITE_FILE (1ULL << 1)
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR (1ULL << 3)
#define FS_REFER (1ULL << 13)    /* move or link into another directory; since version 2 */
#define FS_TRUNCATE (1ULL << 14) /* since version 3 */
#define FS_READ (FS_READ_FILE | FS_READ_DIR)
#define FS_CHANGE_DIR (((1ULL << 13) - 1) & ~((1ULL << 4) - 1)) /* remove and make entries of every kind */
#define FS_WRITE (FS_WRITE_FILE | FS_CHANGE_DIR | FS_REFER | FS_TRUNCATE)
#define FS_ON_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "confine knows x86_64 and arm64: add the architecture's AUDIT_ARCH here"
#endif

#define MAX_GROUPS 4096
#define MAX_RULES 1024

struct rule {
  uint64_t rights;
  const char *path;
};
struct __attribute__((packed)) path_beneath {
  uint64_t allowed_access;
  int32_t parent_fd;
};

static int report = -1;

static _Noreturn void fail(int code, const char *format, ...) {
  char reason[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reason, sizeof reason, format, arguments);
  va_end(arguments);
  if (report >= 0) dprintf(report, "failed %d %s\n", code, reason);
  fprintf(stderr, "confine: %s\n", reason);
  exit(code);
}

/* ---- user and capabilities ---- */

static gid_t groups[MAX_GROUPS];
static size_t group_count;
static uid_t user;

static unsigned long number(const char *text, char **end) {
  if (*text < '0' || *text > '9') fail(125, "--user needs UID:GID[,GID...], in numbers");
  errno = 0;
  unsigned long value = strtoul(text, end, 10);
  if (errno || value >= UINT32_MAX) fail(125, "--user: %s is not the number of a user or group", text);
  return value;
}

static void parse_user(const char *text) {
  char *at;
  user = (uid_t)number(text, &at);
  if (*at != ':') fail(125, "--user needs UID:GID[,GID...], in numbers");
  do {
    if (group_count == MAX_GROUPS) fail(125, "--user: more than %d groups", MAX_GROUPS);
    groups[group_count++] = (gid_t)number(at + 1, &at);
  } while (*at == ',');
  if (*at) fail(125, "--user needs UID:GID[,GID...], in numbers");
}

static uint32_t parse_capabilities(char *text) {
  uint32_t set = 0;
  for (char *name = strtok(text, ","); name; name = strtok(NULL, ",")) {
    if (!strcmp(name, "setuid")) set |= 1u << CAP_SETUID;
    else if (!strcmp(name, "setgid")) set |= 1u << CAP_SETGID;
    else if (!strcmp(name, "kill")) set |= 1u << CAP_KILL;
    else fail(125, "--keep knows setuid, setgid and kill, not %s", name);
  }
  return set;
}

/* Printed if a user starts an image directly. */
#define ADVICE "start it as root with these: docker run --user 0 --cap-add SETUID --cap-add SETGID --cap-add KILL"

static void become_user(void) {
  /* Without it the kernel drops all capabilities of root when it changes its user. */
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)) fail(125, "cannot keep capabilities: %s", strerror(errno));
  if (setgroups(group_count, groups) || setresgid(groups[0], groups[0], groups[0]) || setresuid(user, user, user))
    fail(125, "cannot become user %u, which takes the capabilities SETUID and SETGID: %s; " ADVICE, user, strerror(errno));
}

static void limit_capabilities(uint32_t keep) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[2] = {{keep, keep, keep}, {0, 0, 0}};
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)) fail(125, "cannot clear capabilities: %s", strerror(errno));
  if (syscall(SYS_capset, &header, sets))
    fail(125, "the capabilities SETUID, SETGID and KILL are not all there to be kept: %s; " ADVICE, strerror(errno));
  for (unsigned long cap = 0; cap < 32; cap++)
    if ((keep >> cap & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0))
      fail(125, "cannot hand on capability %lu: %s", cap, strerror(errno));
}

/* ---- Landlock ---- */

/* The version that can be used; 0 where there is none. */
static long landlock_version(void) {
  long version = syscall(LANDLOCK_CREATE_RULESET, NULL, 0, LANDLOCK_VERSION_FLAG);
  return version < 2 ? 0 : version;
}

static void allow(int ruleset, const char *path, uint64_t rights) {
  struct path_beneath rule = {rights, open(path, O_PATH | O_CLOEXEC)};
  struct stat status;
  if (rule.parent_fd < 0) {
    if (errno == ENOENT) return;
    fail(125, "cannot look at %s: %s", path, strerror(errno));
  }
  if (fstat(rule.parent_fd, &status)) fail(125, "cannot look at %s: %s", path, strerror(errno));
  if (!S_ISDIR(status.st_mode)) rule.allowed_access &= FS_ON_FILES;
  if (syscall(LANDLOCK_ADD_RULE, ruleset, LANDLOCK_PATH_BENEATH, &rule, 0))
    fail(125, "cannot make a Landlock rule for %s: %s", path, strerror(errno));
  close(rule.parent_fd);
}

static int make_ruleset(const struct rule *rules, size_t count, long version) {
  uint64_t handled = FS_EXECUTE | FS_READ | FS_WRITE, free_everywhere = handled;
  if (version < 3) handled &= ~FS_TRUNCATE;
  int ruleset = (int)syscall(LANDLOCK_CREATE_RULESET, &handled, sizeof handled, 0);
  if (ruleset < 0) fail(125, "cannot make a Landlock ruleset: %s", strerror(errno));
  for (size_t i = 0; i < count; i++) free_everywhere &= ~rules[i].rights;
  /* What may be executed or written may be read, whether or not reading is limited. */
  for (size_t i = 0; i < count; i++) allow(ruleset, rules[i].path, (rules[i].rights | FS_READ) & handled);
  if (free_everywhere & handled) allow(ruleset, "/", free_everywhere & handled);
  return ruleset;
}

/* ---- seccomp ---- */

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF(test, value, yes, no) BPF_JUMP(BPF_JMP | (test) | BPF_K, value, yes, no)
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, value)

/*
 * ENOSYS, as on an old kernel, so that programs take another way. execveat is not here: without files in memory, every
 * descriptor leads to a mount, whose noexec counts. io_uring is, because what it does is seen by no filter.
 */
static void deny_memfd(void) {
  struct sock_filter program[] = {
      LOAD(arch),
      IF(BPF_JEQ, NATIVE_ARCH, 1, 0),
      ANSWER(SECCOMP_RET_KILL_PROCESS), /* 32-bit calls have other numbers */
      LOAD(nr),
      IF(BPF_JGE, 0x40000000, 4, 0), /* so have those of x32 on x86_64; arm64 has none there */
      IF(BPF_JEQ, SYS_memfd_create, 3, 0),
      IF(BPF_JEQ, MEMFD_SECRET, 2, 0),
      IF(BPF_JEQ, IO_URING_SETUP, 1, 0),
      ANSWER(SECCOMP_RET_ALLOW),
      ANSWER(SECCOMP_RET_ERRNO | ENOSYS),
  };
  struct sock_fprog filter = {sizeof program / sizeof program[0], program};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter)) fail(125, "cannot install the seccomp filter: %s", strerror(errno));
}

static int has_seccomp(void) {
  uint32_t action = SECCOMP_RET_ERRNO;
  return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

/* ---- the program ---- */

static int descriptor(const char *text) {
  char *end;
  long value = strtol(text, &end, 10);
  if (end == text || *end || value < 3 || value > 1023 || fcntl((int)value, F_SETFD, FD_CLOEXEC))
    fail(125, "--report needs an open descriptor from 3 on, not %s", text);
  return (int)value;
}

static _Noreturn void cannot_execute(const char *name, int why) {
  fail(why == ENOENT || why == ENOTDIR ? 127 : 126, "%s: %s", name, strerror(why));
}

static void close_others(void) {
  if (report > 0) syscall(CLOSE_RANGE, 0, report - 1, 0);
  if (syscall(CLOSE_RANGE, report + 1, ~0U, 0) == 0) return;
  for (int fd = 0; fd < 1024; fd++)
    if (fd != report) close(fd);
}

/*
 * Executes the program in a child and waits for it. Some parents cannot see that a program was ended by a real-time signal;
 * this one can. It keeps none of the program's descriptors, and a signal to the group is the program's alone.
 */
static _Noreturn void supervise(char **program) {
  int failure[2], status, why = 0;
  sigset_t all, before;
  sigfillset(&all);
  if (pipe2(failure, O_CLOEXEC)) fail(125, "cannot make a pipe: %s", strerror(errno));
  sigprocmask(SIG_BLOCK, &all, &before);
  pid_t child = fork();
  if (child < 0) fail(125, "cannot fork: %s", strerror(errno));
  if (child == 0) {
    sigprocmask(SIG_SETMASK, &before, NULL);
    execvp(program[0], program);
    why = errno;
    _exit(write(failure[1], &why, sizeof why) == sizeof why ? 126 : 125);
  }
  close(failure[1]);
  ssize_t size = read(failure[0], &why, sizeof why);
  if (size > 0) {
    waitpid(child, &status, 0);
    cannot_execute(program[0], why);
  }
  close_others();
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  dprintf(report, "pid %d\n", child);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (!WIFSIGNALED(status)) {
    dprintf(report, "code %d\n", WEXITSTATUS(status));
    _exit(WEXITSTATUS(status));
  }
  int number = WTERMSIG(status);
  dprintf(report, "signal %d\n", number);
  if (number < 32) {
    /* Ends in the same way, and leaves no core of its own. */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    signal(number, SIG_DFL);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
  }
  _exit(128 + number);
}

int main(int argc, char **argv) {
  static struct rule rules[MAX_RULES];
  size_t rule_count = 0;
  uint32_t keep = 0;
  int become = 0, use_landlock = 1, no_memfd = 0, privileged_children = 0, at = 1;
  for (; at < argc && strcmp(argv[at], "--"); at++) {
    const char *option = argv[at];
    uint64_t rights = !strcmp(option, "--exec") ? FS_EXECUTE : !strcmp(option, "--read") ? FS_READ : !strcmp(option, "--write") ? FS_WRITE : 0;
    if (!strcmp(option, "--probe")) return printf("landlock=%ld\nseccomp=%d\n", landlock_version(), has_seccomp()) < 0;
    else if (!strcmp(option, "--without-landlock")) use_landlock = 0;
    else if (!strcmp(option, "--deny-memfd")) no_memfd = 1;
    else if (!strcmp(option, "--privileged-children")) privileged_children = 1;
    else if (!rights && strcmp(option, "--user") && strcmp(option, "--keep") && strcmp(option, "--report")) fail(125, "there is no option %s", option);
    else if (++at == argc) fail(125, "%s needs a value", option);
    else if (!strcmp(option, "--user")) parse_user(argv[at]), become = 1;
    else if (!strcmp(option, "--report")) report = descriptor(argv[at]);
    else if (!strcmp(option, "--keep")) keep |= parse_capabilities(argv[at]);
    else if (rule_count == MAX_RULES) fail(125, "more than %d Landlock rules", MAX_RULES);
    else rules[rule_count++] = (struct rule){rights, argv[at]};
  }
  if (at + 1 >= argc) fail(125, "usage: confine [options] -- PROGRAM [ARGUMENT...]");
  if (privileged_children && (rule_count || no_memfd)) fail(125, "--privileged-children excludes Landlock and seccomp");

  long version = use_landlock && rule_count ? landlock_version() : 0;
  int ruleset = version ? make_ruleset(rules, rule_count, version) : -1;
  if (become) become_user();
  limit_capabilities(keep);
  if (!privileged_children && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) fail(125, "cannot set no_new_privs: %s", strerror(errno));
  if (version && syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0)) fail(125, "cannot enforce the Landlock rules: %s", strerror(errno));
  if (version) close(ruleset);
  if (no_memfd) deny_memfd();

  char **program = argv + at + 1;
  if (report >= 0) supervise(program);
  execvp(program[0], program);
  cannot_execute(program[0], errno);
}
