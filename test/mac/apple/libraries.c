/*
 * Stands in for libpcap.A.dylib and libSystem.B.dylib: Apple's structs and answers, with frames from a file instead of a kernel. Line numbers
 * refer to libpcap-144. The system's own libpcap compiles and runs filters.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/time.h>
#include <unistd.h>

#define MACHINE "/usr/mac"     /* the state of the machine; see enter.sh */
#define BURST_MS 100           /* the traffic repeats after this time; the same in tcpdump.mjs */
#define ERRBUF 256             /* PCAP_ERRBUF_SIZE */
#define ERROR (-1)             /* PCAP_ERROR */
#define ERROR_PERM (-8)        /* PCAP_ERROR_PERM_DENIED */
#define DLT_EN10MB 1
#define DLT_RAW 12
#define DLT_PKTAP 149          /* pcap/dlt.h:1304 */
#define PKTAP_HEADER 156       /* sizeof(struct pktap_header), xnu bsd/net/pktap.h */
#define PKTAP_IFNAME 12        /* offset of pth_ifname */
#define PKTAP_PID 52           /* offset of pth_pid */
#define FIRST_NAMED 77000      /* pids from here on stand for those that the file `pids` gives them; the same in traffic.ts */
#define FILE_HEADER 24
#define FRAME_BYTES 2048        /* more than any frame of traffic.ts */
#define KAUTH_NONE (~(uid_t)0 - 100)
#define LEAST_PATH 1024        /* PROC_PIDPATHINFO_SIZE, xnu libsyscall/wrappers/libproc/libproc.c:264 */
#define LARGEST_PATH 4096      /* PROC_PIDPATHINFO_MAXSIZE */

/* pcap/pcap.h:255; 256 bytes longer than anywhere else */
struct pcap_pkthdr {
  struct timeval ts;
  uint32_t caplen, len;
  char comment[256];
};

/* pcap-int.h:518; anywhere else a dumper is the stream itself */
struct pcap_dumper {
  FILE *stream;
  char more[80];
};

/* in a file */
struct record {
  uint32_t sec, usec, caplen, len;
};

struct bpf_program {
  unsigned int length;
  void *instructions;
};

struct pcap_stat {
  unsigned int received, dropped, dropped_by_interface;
};

typedef void (*pcap_handler)(unsigned char *, const struct pcap_pkthdr *, const unsigned char *);

typedef struct pcap {
  char interface[64], error[ERRBUF];
  int is_tap, snaplen, buffer_bytes, wants_pktap, link;
  unsigned int received;
  struct bpf_program filter;
  uint8_t *wire;
  size_t bytes, at;
  int64_t opened_ms, bursts;
} pcap_t;

static int64_t now_ms(void) {
  struct timeval now;
  gettimeofday(&now, NULL);
  return now.tv_sec * 1000 + now.tv_usec / 1000;
}

static void note(const char *call, const char *device) {
  FILE *log = fopen(MACHINE "/calls.log", "a");
  if (log == NULL) return;
  fprintf(log, "%d %s %s\n", (int)geteuid(), call, device);
  fclose(log);
}

/* A pktap interface is a file that holds the description. */
static const char *path_of(const char *interface) {
  static char path[128];
  snprintf(path, sizeof path, MACHINE "/interfaces/%s", interface);
  return path;
}

/* ---- opening ---- */

const char *pcap_lib_version(void) { return "libpcap version 1.10.1"; }

/* pcap-darwin.c:330-371: only root makes an interface; the description names the maker. */
pcap_t *pcap_create(const char *device, char *error) {
  note("pcap_create", device);
  pcap_t *p = calloc(1, sizeof *p);
  int unit = 0;
  p->is_tap = strncmp(device, "pktap", 5) == 0;
  if (!p->is_tap) {
    snprintf(p->interface, sizeof p->interface, "%s", device);
    return p;
  }
  do snprintf(p->interface, sizeof p->interface, "pktap%d", unit++);
  while (access(path_of(p->interface), F_OK) == 0);
  FILE *made = geteuid() == 0 ? fopen(path_of(p->interface), "w") : NULL;
  if (made == NULL) {
    snprintf(error, ERRBUF, "ioctl(SIOCIFCREATE): Operation not permitted");
    free(p);
    return NULL;
  }
  fprintf(made, "libpcap auto cloned device - %s.%d\n", program_invocation_short_name, getpid());
  fclose(made);
  return p;
}

int pcap_set_snaplen(pcap_t *p, int bytes) { return p->snaplen = bytes, 0; }
int pcap_set_buffer_size(pcap_t *p, int bytes) { return p->buffer_bytes = bytes, 0; }
int pcap_set_timeout(pcap_t *p, int ms) { return (void)p, (void)ms, 0; }
int pcap_set_want_pktap(pcap_t *p, int wants) { return p->wants_pktap = wants, 0; }
int pcap_bufsize(pcap_t *p) { return p->buffer_bytes; }
int pcap_setnonblock(pcap_t *p, int on, char *error) { return (void)p, (void)on, (void)error, 0; }
int pcap_datalink(pcap_t *p) { return p->link; }
int pcap_set_datalink(pcap_t *p, int link) { return (void)p, (void)link, ERROR; }
const char *pcap_geterr(pcap_t *p) { return p->error; }
const char *pcap_statustostr(int status) {
  return status == ERROR_PERM ? "You don't have permission to capture on that device" : "Generic error"; /* pcap.c:3706 */
}

static int read_wire(pcap_t *p) {
  FILE *file = fopen(MACHINE "/wire.pcap", "rb");
  if (file == NULL) return 0;
  fseek(file, 0, SEEK_END);
  p->bytes = ftell(file);
  rewind(file);
  p->wire = malloc(p->bytes);
  int is_read = fread(p->wire, 1, p->bytes, file) == p->bytes;
  fclose(file);
  return is_read;
}

int pcap_activate(pcap_t *p) {
  if (access("/dev/bpf0", R_OK | W_OK) != 0) { /* pcap-bpf.c:578-587 */
    snprintf(p->error, ERRBUF, "(cannot open BPF device) /dev/bpf0: Permission denied");
    return ERROR_PERM;
  }
  if (p->is_tap && access(MACHINE "/refuses-pktap", F_OK) == 0) {
    snprintf(p->error, ERRBUF, "BIOCSETIF: %s: Operation not permitted", p->interface);
    return ERROR;
  }
  if (!read_wire(p)) {
    snprintf(p->error, ERRBUF, "the machine has no wire");
    return ERROR;
  }
  p->link = !p->is_tap ? DLT_EN10MB : p->wants_pktap ? DLT_PKTAP : DLT_RAW;
  p->at = FILE_HEADER;
  p->opened_ms = now_ms();
  return 0;
}

int pcap_stats(pcap_t *p, struct pcap_stat *stat) {
  *stat = (struct pcap_stat){ .received = p->received };
  return 0;
}

/* pcap-darwin.c:79-148: a process that may no longer open /dev/bpf0 leaves the interface behind, silently. */
void pcap_close(pcap_t *p) {
  if (p->interface[0] != 0) {
    note("pcap_close", p->interface);
    if (p->is_tap && geteuid() == 0) unlink(path_of(p->interface));
  }
  free(p->filter.instructions);
  free(p->wire);
  free(p);
}

/* ---- filters ---- */

static void *upstream(const char *name) {
  static const char *const files[] = { "libpcap.so.0.8", "libpcap.so.1", "libpcap.so" };
  static void *library = NULL;
  for (int i = 0; library == NULL && i < 3; i++) library = dlopen(files[i], RTLD_LAZY | RTLD_LOCAL);
  return library == NULL ? NULL : dlsym(library, name);
}

pcap_t *pcap_open_dead(int link, int snaplen) {
  pcap_t *p = calloc(1, sizeof *p);
  p->link = link;
  p->snaplen = snaplen;
  return p;
}

int pcap_compile(pcap_t *p, struct bpf_program *program, const char *expression, int optimize, uint32_t netmask) {
  void *(*open_dead)(int, int) = upstream("pcap_open_dead");
  int (*compile)(void *, struct bpf_program *, const char *, int, uint32_t) = upstream("pcap_compile");
  char *(*geterr)(void *) = upstream("pcap_geterr");
  void (*close)(void *) = upstream("pcap_close");
  void *dead = open_dead(p->link, p->snaplen);
  int status = compile(dead, program, expression, optimize, netmask);
  if (status < 0) snprintf(p->error, ERRBUF, "%s", geterr(dead));
  close(dead);
  return status;
}

void pcap_freecode(struct bpf_program *program) { free(program->instructions); }

/* @returns bytes to keep, 0 for none */
unsigned int bpf_filter(const void *instructions, const unsigned char *frame, unsigned int length, unsigned int captured) {
  unsigned int (*run)(const void *, const unsigned char *, unsigned int, unsigned int) = upstream("bpf_filter");
  return run(instructions, frame, length, captured);
}

int pcap_setfilter(pcap_t *p, struct bpf_program *program) {
  size_t bytes = 8 * (size_t)program->length; /* struct bpf_insn */
  free(p->filter.instructions);
  p->filter.length = program->length;
  p->filter.instructions = malloc(bytes);
  memcpy(p->filter.instructions, program->instructions, bytes);
  return 0;
}

/* ---- frames ---- */

/* sf-pcap.c:944: writes the file header first. */
struct pcap_dumper *pcap_dump_fopen(pcap_t *p, FILE *stream) {
  uint32_t header[FILE_HEADER / 4] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, (uint32_t)p->snaplen, (uint32_t)p->link };
  if (fwrite(header, sizeof header, 1, stream) != 1) return NULL;
  struct pcap_dumper *dumper = calloc(1, sizeof *dumper);
  dumper->stream = stream;
  return dumper;
}

/* sf-pcap.c:770 */
void pcap_dump(unsigned char *user, const struct pcap_pkthdr *header, const unsigned char *frame) {
  FILE *stream = ((struct pcap_dumper *)user)->stream;
  struct record record = { (uint32_t)header->ts.tv_sec, (uint32_t)header->ts.tv_usec, header->caplen, header->len };
  fwrite(&record, sizeof record, 1, stream);
  fwrite(frame, header->caplen, 1, stream);
}

/* @returns the pid that a frame's stands for; 0 while there is none */
static uint32_t named_pid(uint32_t pid) {
  if ((int32_t)pid < FIRST_NAMED) return pid; /* -1: no process */
  FILE *file = fopen(MACHINE "/pids", "r"); /* lines of two pids */
  unsigned int from = 0, to = 0, found = 0;
  while (file != NULL && found == 0 && fscanf(file, "%u %u", &from, &to) == 2)
    if (from == pid) found = to;
  if (file != NULL) fclose(file);
  return found;
}

/* Hands over what has come by now, as a non-blocking BPF device does. */
int pcap_dispatch(pcap_t *p, int limit, pcap_handler handler, unsigned char *user) {
  if (p->is_tap && access(path_of(p->interface), F_OK) != 0) { /* pcap-bpf.c: ENXIO of read(2) */
    snprintf(p->error, ERRBUF, "The interface disappeared");
    return ERROR;
  }
  int handed = 0;
  int64_t due = (now_ms() - p->opened_ms) / BURST_MS;
  while (handed < limit && p->bursts < due) {
    struct record record;
    memcpy(&record, p->wire + p->at, sizeof record);
    const uint8_t *frame = p->wire + p->at + sizeof record;
    p->at += sizeof record + record.caplen;
    if (p->at + sizeof record > p->bytes) {
      p->at = FILE_HEADER;
      p->bursts++;
    }
    uint32_t pid;
    memcpy(&pid, frame + PKTAP_PID, sizeof pid);
    uint32_t named = named_pid(pid);
    if (pid != 0 && named == 0) continue;
    uint8_t renamed[FRAME_BYTES];
    if (named != pid && record.caplen <= sizeof renamed) {
      memcpy(renamed, frame, record.caplen);
      memcpy(renamed + PKTAP_PID, &named, sizeof named);
      frame = renamed;
    }
    if (!p->is_tap) { /* only its own frames, without the header of PKTAP */
      if (strcmp((const char *)frame + PKTAP_IFNAME, p->interface) != 0) continue;
      frame += PKTAP_HEADER;
      record.caplen -= PKTAP_HEADER;
      record.len -= PKTAP_HEADER;
    }
    unsigned int keep = p->filter.instructions == NULL ? UINT32_MAX
                                                       : bpf_filter(p->filter.instructions, frame, record.len, record.caplen);
    if (keep == 0) continue;
    struct pcap_pkthdr header;
    memset(&header, 0x55, sizeof header); /* Apple writes only the first byte of the comment */
    header.comment[0] = 0;
    gettimeofday(&header.ts, NULL);
    header.caplen = record.caplen < keep ? record.caplen : keep;
    header.len = record.len;
    handler(user, &header, frame);
    p->received++;
    handed++;
  }
  return handed;
}

/* ---- libSystem: what the system's own C library lacks ---- */

/* @returns length of the path, or 0 with errno */
int proc_pidpath(int pid, void *buffer, uint32_t size) {
  errno = size < LEAST_PATH ? ENOMEM : size > LARGEST_PATH ? EOVERFLOW : ESRCH;
  if (errno != ESRCH) return 0;
  FILE *paths = fopen(MACHINE "/paths", "r"); /* lines of a pid, a blank and a path */
  char line[LARGEST_PATH + 16];
  int length = 0;
  while (paths != NULL && length == 0 && fgets(line, sizeof line, paths) != NULL) {
    char *path = strchr(line, ' ') + 1;
    path[strcspn(path, "\n")] = 0;
    if (atoi(line) == pid) length = snprintf(buffer, size, "%s", path);
  }
  if (paths != NULL) fclose(paths);
  return length;
}

/* @returns 64, the size of struct proc_bsdshortinfo, or 0; it knows the processes that ps lists */
int proc_pidinfo(int pid, int flavor, uint64_t argument, void *buffer, int size) {
  (void)argument;
  if (flavor != 13 || size < 64) return errno = EINVAL, 0;
  FILE *list = fopen(MACHINE "/ps", "r");
  char line[LARGEST_PATH + 64];
  int length = 0;
  while (list != NULL && length == 0 && fgets(line, sizeof line, list) != NULL) {
    unsigned int own = 0, parent = 0;
    if (sscanf(line, "%u %u", &own, &parent) != 2 || own != (unsigned int)pid) continue;
    line[strcspn(line, "\n")] = 0;
    const char *name = strrchr(line, '/');
    memset(buffer, 0, 64);
    memcpy(buffer, &own, 4);
    memcpy((char *)buffer + 4, &parent, 4);
    if (name != NULL) strncpy((char *)buffer + 16, name + 1, 15);
    length = 64;
  }
  if (list != NULL) fclose(list);
  return length;
}

/* Changes this thread only, and only for root. This one changes the access to files, which is all that the program uses it for. */
int pthread_setugid_np(uid_t uid, gid_t gid) {
  if (geteuid() != 0) return errno = EPERM, -1;
  setfsgid(gid == KAUTH_NONE ? getegid() : gid);
  setfsuid(uid == KAUTH_NONE ? geteuid() : uid);
  return 0;
}
