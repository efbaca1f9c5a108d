/* What a program sees of the processor, without what goes beyond AVX2: on_avx2.py puts this into LD_PRELOAD.
 *
 * Libraries choose their kernels by what the instruction `cpuid` says. A few have a switch of their own (oneDNN, MKL,
 * PyTorch), others have none (onnxruntime, simsimd), so the instruction itself is made to say less. Linux can make it
 * fault in a thread and in all that the thread starts (arch_prctl(2), ARCH_SET_CPUID: "cpuid_fault" among the flags of
 * /proc/cpuinfo). The fault arrives as SIGSEGV, whose handler here asks the processor and answers without
 *
 *   AVX-512 (all of it), AVX10, AVX-VNNI and its kin, AMX, bfloat16 and float16.
 *
 * Which bit is which: Intel, Software Developer's Manual, volume 2A, CPUID, leaves 07H (subleaves 0 and 1), 1DH and
 * 1EH (AMX) and 24H (AVX10); AMD uses the same ones in leaf 07H (AMD64 Architecture Programmer's Manual, volume 3,
 * appendix E). Leaf 0DH and XGETBV still tell which registers the system saves, wide ones as well: who saves registers
 * needs the true sizes, and both manuals let programs use instructions only if leaf 07H has them too.
 *
 * Some programs read /proc/cpuinfo instead, ours among them. It comes from the kernel, which does not fault, so whoever
 * opens it is given the file named in AVX2_ONLY_CPUINFO.
 *
 * What is not hidden: a program that is linked statically or raises its rights, for which LD_PRELOAD is nothing; libc's
 * own copying of memory, which is chosen before this is loaded (on_avx2.py tells it by GLIBC_TUNABLES); and a thread
 * that blocks SIGSEGV and then asks `cpuid`, which Linux ends. The processor's caches and clock remain its own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef ARCH_SET_CPUID
#define ARCH_SET_CPUID 0x1012
#endif
#define GENERAL_PROTECTION 13 /* the processor's number of the fault that a forbidden `cpuid` raises */
#define BIT(number) (UINT32_C(1) << (number))
/* libc's own function of a name that this library takes; looked up once at each place. */
#define REAL(name)                                                                                                     \
    ({                                                                                                                 \
        static __typeof__(&name) found;                                                                                \
        if (!found) found = (__typeof__(&name))dlsym(RTLD_NEXT, #name);                                                \
        found;                                                                                                         \
    })

static const uint32_t LEAF_7_EBX = /* avx512f, dq, ifma, pf, er, cd, bw, vl */
    BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31);
static const uint32_t LEAF_7_ECX = /* avx512_vbmi, vbmi2, vnni, bitalg, vpopcntdq */
    BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14);
static const uint32_t LEAF_7_EDX = /* avx512_4vnniw, 4fmaps, vp2intersect, amx_bf16, avx512_fp16, amx_tile, amx_int8 */
    BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25);
static const uint32_t LEAF_7_1_EAX = /* avx_vnni, avx512_bf16, amx_fp16, avx_ifma */
    BIT(4) | BIT(5) | BIT(21) | BIT(23);
static const uint32_t LEAF_7_1_EDX = /* avx_vnni_int8, avx_ne_convert, amx_complex, avx_vnni_int16, avx10 */
    BIT(4) | BIT(5) | BIT(8) | BIT(10) | BIT(19);

static struct sigaction theirs; /* what the program wants done with SIGSEGV; at first what it is by default */

static long let_cpuid(long allowed) {
    return syscall(SYS_arch_prctl, ARCH_SET_CPUID, allowed);
}

static void answer(greg_t *registers) {
    uint32_t leaf = (uint32_t)registers[REG_RAX], subleaf = (uint32_t)registers[REG_RCX];
    uint32_t a = leaf, b = 0, c = subleaf, d = 0;
    /* Asked each time, not kept: some leaves say on which core one is. */
    let_cpuid(1);
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    let_cpuid(0);
    if (leaf == 0x07 && subleaf == 0) {
        b &= ~LEAF_7_EBX;
        c &= ~LEAF_7_ECX;
        d &= ~LEAF_7_EDX;
    } else if (leaf == 0x07 && subleaf == 1) {
        a &= ~LEAF_7_1_EAX;
        d &= ~LEAF_7_1_EDX;
    } else if (leaf == 0x1d || leaf == 0x1e || leaf == 0x24) {
        a = b = c = d = 0;
    }
    registers[REG_RAX] = a;
    registers[REG_RBX] = b;
    registers[REG_RCX] = c;
    registers[REG_RDX] = d;
    registers[REG_RIP] += 2; /* the length of the instruction */
}

static void on_fault(int number, siginfo_t *about, void *context) {
    int error = errno;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const uint8_t *instruction = (const uint8_t *)registers[REG_RIP];
    /* Only after this kind of fault, which needs an instruction that could be read, is it safe to look at it. */
    if (about->si_code == SI_KERNEL && registers[REG_TRAPNO] == GENERAL_PROTECTION && instruction[0] == 0x0f &&
        instruction[1] == 0xa2) {
        answer(registers);
    } else if (theirs.sa_flags & SA_SIGINFO) {
        theirs.sa_sigaction(number, about, context);
    } else if (theirs.sa_handler != SIG_DFL && theirs.sa_handler != SIG_IGN) {
        theirs.sa_handler(number);
    } else if (about->si_code > 0 || theirs.sa_handler == SIG_DFL) {
        /* A true fault happens again when this returns, and a signal that was sent is sent again; either now ends the
           process as it would have. One that was sent and is ignored is no matter. */
        struct sigaction usual = {.sa_handler = SIG_DFL};
        REAL(sigaction)(SIGSEGV, &usual, NULL);
        if (about->si_code <= 0) raise(number);
    }
    errno = error;
}

static void install(void) {
    struct sigaction ours = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    REAL(sigaction)(SIGSEGV, &ours, NULL);
}

__attribute__((constructor)) static void begin(void) {
    install();
    if (let_cpuid(0)) {
        fputs("avx2_only: this system cannot make cpuid fault, so nothing is hidden.\n", stderr);
        _exit(70);
    }
}

/* Python's faulthandler and others take SIGSEGV for themselves; they are called for what is not a `cpuid`. */
int sigaction(int number, const struct sigaction *action, struct sigaction *former) {
    if (number != SIGSEGV) return REAL(sigaction)(number, action, former);
    struct sigaction before = theirs;
    if (action) theirs = *action;
    if (former) *former = before;
    return 0;
}

sighandler_t signal(int number, sighandler_t handler) {
    if (number != SIGSEGV) return REAL(signal)(number, handler);
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, former;
    sigaction(number, &action, &former);
    return former.sa_handler;
}

static const char *instead_of(const char *path) {
    const char *hidden = getenv("AVX2_ONLY_CPUINFO");
    return hidden && path && strcmp(path, "/proc/cpuinfo") == 0 ? hidden : path;
}

/* The mode is there only if a file may be made; to read it otherwise does no harm on this kind of processor. */
#define MODE(last) va_list rest; va_start(rest, last); int mode = va_arg(rest, int); va_end(rest)

int open(const char *path, int flags, ...) {
    MODE(flags);
    return REAL(open)(instead_of(path), flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE(flags);
    return REAL(open64)(instead_of(path), flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    MODE(flags);
    return REAL(openat)(folder, instead_of(path), flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    MODE(flags);
    return REAL(openat64)(folder, instead_of(path), flags, mode);
}

FILE *fopen(const char *path, const char *mode) {
    return REAL(fopen)(instead_of(path), mode);
}

FILE *fopen64(const char *path, const char *mode) {
    return REAL(fopen64)(instead_of(path), mode);
}
