// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/worker_client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "extcap/installation.h"
#include "extcap/worker/serve.h"
#include "podman/core/proc.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

using worker::Reply;
using worker::Request;
using worker::Stage;

constexpr int kAnswerMs = 5000;

// "/run/netns/netns-xxxxxxxx-…" → 16 bytes; false for any other path.
bool parse_netns_path(const std::string& path, std::uint8_t (&uuid)[16]) {
  static const std::string kPrefix = "/run/netns/netns-";
  if (path.compare(0, kPrefix.size(), kPrefix) != 0) return false;
  std::string digits;
  for (const char c : path.substr(kPrefix.size())) {
    if (c != '-') digits += c;
  }
  if (digits.size() != 32 || path.size() != kPrefix.size() + 36) return false;
  for (std::size_t i = 0; i < 16; ++i) {
    char* end = nullptr;
    const std::string byte = digits.substr(2 * i, 2);
    uuid[i] = static_cast<std::uint8_t>(std::strtoul(byte.c_str(), &end, 16));
    if (*end != '\0') return false;
  }
  return true;
}

void name_container(const model::Container& c, Request& r) {
  r.netns_inode = c.netns;
  r.pid = c.pid;
  r.pid_start = c.pid_start;
  // The file needs one capability less than the process (SYS_PTRACE), but is there for rootful ones only.
  if (!c.rootless && parse_netns_path(c.netns_path, r.uuid)) r.kind = worker::TargetKind::netns_file;
}

Request make_request(const NetnsPlace& place, SocketCounts counts) {
  Request r;
  r.netlink_sockets = counts.netlink;
  r.raw_sockets = counts.raw;
  r.cooked_sockets = counts.cooked;
  r.netfilter_sockets = counts.netfilter;
  r.probe = counts.probe;
  switch (place.kind) {
    case NetnsPlace::Kind::container:
      name_container(place.container, r);
      break;
    case NetnsPlace::Kind::host:
      r.kind = worker::TargetKind::own_netns;
      break;
    case NetnsPlace::Kind::file:
      r.kind = worker::TargetKind::netns_file;
      (void)parse_netns_path(place.path, r.uuid);  // a malformed one is no file: the worker says so
      break;
    case NetnsPlace::Kind::descriptor:
      r.kind = worker::TargetKind::descriptor;
      break;
  }
  return r;
}

bool send_request(int channel, const Request& request, const NetnsPlace& place) {
  iovec data{const_cast<Request*>(&request), sizeof(request)};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (place.kind == NetnsPlace::Kind::descriptor && place.fd) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = place.fd->get();
    std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  }
  return ::sendmsg(channel, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof(request));
}

bool needs_installed_worker(const NetnsPlace& place) {
  if (::geteuid() == 0) return false;
  return place.kind == NetnsPlace::Kind::file ||
         (place.kind == NetnsPlace::Kind::container && !place.container.rootless);
}

std::string group_hint() {
  return "rootful containers need the installed worker: " + join_group_hint(this_installation()) +
         "; 'podshark doctor' shows what is missing";
}

const char* const kHostHint =
    "sockets on the host's links need root: run podshark with sudo, or capture inside the container";

bool wants_probes(const SocketCounts& c) {
  std::uint32_t all = 0;
  for (const auto& pair : {c.probe.tcp, c.probe.udp, c.probe.icmp}) all |= pair[0] | pair[1];
  return all != 0;
}

Error no_probes(const NetnsPlace& place) {
  return {ErrorKind::permission,
          "probes from inside " + place.who() + " are for root only: it is rootful, and not yours",
          "run podshark with sudo, or probe it from the host"};
}

Error explain(const Reply& reply, const NetnsPlace& place, bool probes) {
  const std::string who = place.who();
  const std::string why = reply.error != 0 ? std::string(": ") + std::strerror(reply.error) : std::string();
  if (reply.error == EMFILE || reply.error == ENFILE || reply.error == ENOMEM)
    return os_error(reply.error, "enter the network namespace of " + who);
  switch (reply.stage) {
    case Stage::find_process:
    case Stage::identity:
      return {ErrorKind::gone, who + " has stopped or restarted meanwhile", "select it again"};
    case Stage::host_netns:
      return {ErrorKind::unsupported,
              who + " uses the host's network: it has no network namespace of its own",
              "capture on a host interface instead, for example 'any'"};
    case Stage::not_podman:
      return {ErrorKind::permission, who + " is not run by root's conmon, so the worker refuses it",
              group_hint()};
    case Stage::not_yours:
      return {ErrorKind::permission, who + " belongs to another user",
              "only that user or root can capture it"};
    case Stage::open_netns:
      if (reply.error == ENOENT || reply.error == ESTALE) {
        return {ErrorKind::gone, "the network namespace of " + who + " is gone", "select it again"};
      }
      return {ErrorKind::permission, "open the network namespace of " + who + why, group_hint()};
    case Stage::probes_off:
      return no_probes(place);
    case Stage::join:
      return {ErrorKind::permission, "enter the network namespace of " + who + why, group_hint()};
    case Stage::socket:
      if (probes && (reply.error == EAFNOSUPPORT || reply.error == EACCES || reply.error == EPERM)) {
        return {ErrorKind::unsupported, "open a socket for the probe in " + who + why,
                reply.error == EAFNOSUPPORT ? "IPv6 is switched off there"
                                            : "the sysctl net.ipv4.ping_group_range there allows no ping"};
      }
      if (reply.error != EPERM) return os_error(reply.error, "open a socket in " + who);
      return {ErrorKind::permission, "open a packet socket in " + who + why,
              place.kind == NetnsPlace::Kind::host ? std::string(kHostHint) : group_hint()};
    default:
      return {ErrorKind::internal, "podshark-worker could not serve " + who + why, "run 'podshark doctor'"};
  }
}

std::vector<UniqueFd> take_fds(msghdr& message) {
  std::vector<UniqueFd> fds;
  for (cmsghdr* h = CMSG_FIRSTHDR(&message); h != nullptr; h = CMSG_NXTHDR(&message, h)) {
    if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
      fds.emplace_back(fd);
    }
  }
  return fds;
}

// Waits for the reply; 0 or an errno: EPIPE when the worker has ended, ETIMEDOUT when it stays silent, EMFILE
// when there is no room for its descriptors.
int receive_one(int channel, Reply& reply, std::vector<UniqueFd>& fds) {
  pollfd p{channel, POLLIN, 0};
  int ready = 0;
  while ((ready = ::poll(&p, 1, kAnswerMs)) < 0 && errno == EINTR) {
  }
  if (ready <= 0) return ready == 0 ? ETIMEDOUT : errno;
  iovec data{&reply, sizeof(reply)};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * worker::kMaxSockets)> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t n = ::recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
  if (n <= 0) return n == 0 || errno == ECONNRESET ? EPIPE : errno;
  fds = take_fds(message);
  if ((message.msg_flags & MSG_CTRUNC) != 0) return EMFILE;
  const bool whole = n == static_cast<ssize_t>(sizeof(reply)) && reply.magic == worker::kMagic &&
                     fds.size() == reply.sockets;
  return whole ? 0 : EPROTO;
}

int receive(int channel, std::uint32_t serial, Reply& reply, std::vector<UniqueFd>& fds) {
  int error = 0;
  do {
    error = receive_one(channel, reply, fds);
  } while (error == 0 && reply.serial != serial);  // a second answer to an earlier request
  return error;
}

Error no_answer(int error, int status, bool installed) {
  const ErrorKind kind = installed ? ErrorKind::permission : ErrorKind::internal;
  const char* const doctor = "run 'podshark doctor'";
  if (error == ETIMEDOUT)
    return {ErrorKind::internal, "podshark-worker did not answer within 5 seconds", "try again"};
  if (WIFSIGNALED(status))
    return {ErrorKind::internal, std::string("podshark-worker was ended: ") + ::strsignal(WTERMSIG(status)),
            "try again; the kernel's log (dmesg) tells whether memory ran out"};
  return {kind, std::string("podshark-worker did not answer: ") + std::strerror(error),
          installed ? group_hint() : std::string(doctor)};
}

// Descriptors of the capture (fifo, stdout, other channels) must not live on in the child: what follows
// closes them.
void enter_child(int channel) {
  // Ends with podshark even when that is killed; the closed channel tells it as well.
  (void)::prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigset_t none;
  sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(channel, STDIN_FILENO);
}

// The worker's code in a child of ours, for what needs no privilege.
[[noreturn]] void serve_on_channel(int channel) noexcept {
  enter_child(channel);
  (void)::close_range(3, ~0U, 0);
  const int null = ::open("/dev/null", O_WRONLY);
  ::dup2(null, STDOUT_FILENO);
  worker::serve(STDIN_FILENO);
  ::_exit(0);
}

}  // namespace

void exec_on_channel(int channel, const std::string& program) {
  enter_child(channel);
  (void)::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  std::array<char*, 1> env{nullptr};
  std::array<char*, 2> argv{const_cast<char*>(program.c_str()), nullptr};
  ::execve(program.c_str(), argv.data(), env.data());
  ::_exit(126);
}

std::string find_libexec(const std::string& name) {
  const std::string here = program_directory();
  const std::string prefix = here.substr(0, here.rfind('/'));
  for (const std::string& path : {here + "/" + name, prefix + "/libexec/podshark/" + name,
                                  std::string(PODSHARK_LIBEXECDIR) + "/" + name}) {
    if (::access(path.c_str(), F_OK) == 0) return path;
  }
  return {};
}

WorkerClient::~WorkerClient() {
  (void)end(plain_);
  (void)end(installed_);
}

int WorkerClient::end(Worker& w) {
  w.channel.reset();
  int status = 0;
  if (w.pid <= 0) return status;
  // It has nothing to finish; one that is stopped would not even notice the end of its channel.
  (void)::kill(w.pid, SIGKILL);
  while (::waitpid(w.pid, &status, 0) < 0 && errno == EINTR) {
  }
  w.pid = 0;
  return status;
}

Status WorkerClient::start(Worker& w, bool installed) {
  std::string program;
  if (installed) {
    program = find_worker();
    if (program.empty()) {
      return Error{ErrorKind::permission, "podshark-worker is not installed, and rootful containers need it",
                   group_hint()};
    }
    if (::access(program.c_str(), X_OK) != 0) {
      return Error{ErrorKind::permission, "you may not run '" + program + "'", group_hint()};
    }
  }
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return os_error(errno, "socketpair");
  UniqueFd ours(pair[0]);
  const UniqueFd theirs(pair[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return os_error(errno, "fork the worker");
  if (pid == 0) installed ? exec_on_channel(theirs.get(), program) : serve_on_channel(theirs.get());
  w.pid = pid;
  w.channel = std::move(ours);
  return ok();
}

NetnsPlace NetnsPlace::of(const model::Container& container) {
  NetnsPlace place;
  place.container = container;
  return place;
}

NetnsPlace NetnsPlace::host() {
  NetnsPlace place;
  place.kind = Kind::host;
  return place;
}

std::string NetnsPlace::who() const {
  switch (kind) {
    case Kind::container:
      return "container " + in_quotes(container.name);
    case Kind::host:
      return "the host";
    case Kind::file:
      return "the new container behind '" + one_line(path, 80) + "'";
    default:
      return whose;
  }
}

Result<NetnsSockets> WorkerClient::open(const NetnsPlace& place, SocketCounts counts) {
  const bool installed = needs_installed_worker(place);
  Worker& w = installed ? installed_ : plain_;
  const bool probes = wants_probes(counts);
  Request request = make_request(place, counts);
  request.serial = ++serial_;
  Reply reply;
  std::vector<UniqueFd> fds;
  for (bool answered = false; !answered;) {
    const bool fresh = !w.channel;
    if (const Status s = fresh ? start(w, installed) : ok(); !s) {
      // Installing the worker would not help: it refuses.
      return probes && installed ? no_probes(place) : s.wrap("capture " + place.who());
    }
    const int error = send_request(w.channel.get(), request, place)
                          ? receive(w.channel.get(), request.serial, reply, fds)
                          : EPIPE;
    if (error == EMFILE) return os_error(error, "take the sockets of " + place.who());
    answered = error == 0;
    if (answered) continue;
    const int status = end(w);
    // One that somebody killed or stopped since the last request is replaced, once.
    if (fresh) return no_answer(error, status, installed);
  }
  if (reply.stage != Stage::done) return explain(reply, place, probes);
  NetnsSockets out;
  out.netns_inode = reply.netns_inode;
  out.netns_cookie = reply.netns_cookie;
  for (std::size_t i = 0; i < fds.size(); ++i) {
    const std::size_t raw = counts.netlink + counts.raw;
    const std::size_t cooked = raw + counts.cooked;
    auto& list = i < counts.netlink              ? out.netlink
                 : i < raw                       ? out.raw
                 : i < cooked                    ? out.cooked
                 : i < cooked + counts.netfilter ? out.netfilter
                                                 : out.probe;
    list.push_back(std::move(fds[i]));
  }
  return out;
}

}  // namespace podshark::extcap
