// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/drop_helper.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>
#include <vector>

#include "extcap/drops/event.h"
#include "extcap/installation.h"
#include "extcap/worker_client.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

using drops::Operation;
using drops::ReasonName;
using drops::Reply;
using drops::Request;
using drops::Stage;

constexpr std::size_t kLargest = sizeof(drops::NamesHeader) + drops::kMaxReasons * sizeof(ReasonName);

std::string hint() {
  return join_group_hint(this_installation()) + ", or run podshark with sudo";
}

Error explain(const Reply& reply) {
  const std::string why = reply.error != 0 ? std::string(": ") + std::strerror(reply.error) : std::string();
  const std::string said = one_line({reply.text, ::strnlen(reply.text, sizeof(reply.text))}, 160);
  switch (reply.stage) {
    case Stage::types:
      return {ErrorKind::unsupported,
              "dropped packets are not shown: the kernel has no type information" + why,
              "it needs /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)"};
    case Stage::privilege:
      return {ErrorKind::permission, "dropped packets are not shown: loading a BPF program is not permitted",
              hint()};
    case Stage::load:
    case Stage::attach:
      return {ErrorKind::unsupported,
              "dropped packets are not shown: the kernel refused the BPF program" + why +
                  (said.empty() ? "" : " (" + said + ")"),
              "it needs Linux 5.19 or later"};
    default:
      return {ErrorKind::internal, "dropped packets are not shown: podshark-drops did not understand" + why,
              "run 'podshark doctor'"};
  }
}

Error gone() {
  return {ErrorKind::internal, "dropped packets are not shown any more: podshark-drops has ended",
          "run 'podshark doctor'"};
}

}  // namespace

DropHelper::~DropHelper() {
  if (channel_) loop_.remove(channel_.get());
  channel_.reset();  // end of file ends it
  if (counts_ != nullptr) (void)::munmap(const_cast<void*>(counts_), counts_size_);
  if (pid_ <= 0) return;
  (void)::kill(pid_, SIGKILL);  // it might be stopped, and the program goes with it either way
  (void)::waitpid(pid_, nullptr, 0);
}

Status DropHelper::start(std::uint32_t snaplen, bool everything) {
  const std::string program = find_libexec("podshark-drops");
  if (program.empty())
    return Error{ErrorKind::unsupported, "dropped packets are not shown: podshark-drops is not installed",
                 "it is built where clang, bpftool and libbpf-dev are installed"};
  if (::access(program.c_str(), X_OK) != 0)
    return Error{ErrorKind::permission, "dropped packets are not shown: you may not run '" + program + "'",
                 hint()};
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return os_error(errno, "socketpair");
  UniqueFd ours(pair[0]);
  const UniqueFd theirs(pair[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return os_error(errno, "fork podshark-drops");
  if (pid == 0) {
    (void)::setpgid(0, 0);  // Ctrl-C is for podshark, which reads the rest of the ring then
    exec_on_channel(theirs.get(), program);
  }
  pid_ = pid;
  channel_ = std::move(ours);
  Request options;
  options.operation = Operation::options;
  options.snaplen = std::min<std::uint32_t>(snaplen, PODSHARK_DROP_PULLED + PODSHARK_DROP_DATA);
  options.everything = everything ? 1 : 0;
  send(options);
  loop_.add(channel_.get(), EPOLLIN, [this](std::uint32_t) { on_message(); });
  return ok();
}

// Small messages, of which there are few: that they find no room in the socket means that nobody reads them.
void DropHelper::send(const Request& request, int socket) {
  if (!channel_) return;
  iovec part{const_cast<Request*>(&request), sizeof(request)};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (socket >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &socket, sizeof(socket));
  }
  (void)::sendmsg(channel_.get(), &message, MSG_NOSIGNAL);
}

void DropHelper::watch_netns(int socket, std::uint32_t tag) {
  Request r;
  r.operation = Operation::watch_netns;
  r.tag = tag;
  send(r, socket);
}

namespace {
void put(const IpAddress& from, std::uint8_t (&to)[16]) {
  if (from.is_v4())
    std::copy_n(from.bytes.begin() + 12, 4, to);
  else
    std::copy_n(from.bytes.begin(), 16, to);
}
}  // namespace

void DropHelper::watch_address(int socket, std::uint32_t tag, const IpAddress& address) {
  Request r;
  r.operation = Operation::watch_address;
  r.tag = tag;
  put(address, r.address);
  send(r, socket);
}

void DropHelper::watch_port(int socket, std::uint32_t tag, std::uint8_t protocol, std::uint16_t port) {
  Request r;
  r.operation = Operation::watch_port;
  r.tag = tag;
  r.protocol = protocol;
  r.port = port;
  send(r, socket);
}

void DropHelper::local_address(int socket, const IpAddress& address) {
  Request r;
  r.operation = Operation::local_address;
  put(address, r.address);
  send(r, socket);
}

void DropHelper::forget(std::uint32_t tag) {
  Request r;
  r.operation = Operation::forget;
  r.tag = tag;
  send(r);
}

DropHelper::Count DropHelper::count(std::uint32_t tag) const {
  if (counts_ == nullptr || tag >= PODSHARK_DROP_TAGS) return {};
  const auto* all = static_cast<const podshark_drop_count*>(counts_);
  return {__atomic_load_n(&all[tag].sent, __ATOMIC_RELAXED),
          __atomic_load_n(&all[tag].lost, __ATOMIC_RELAXED)};
}

std::string DropHelper::reason(std::uint32_t value) const {
  const auto it = reasons_.find(value);
  return it == reasons_.end() ? "REASON_" + std::to_string(value) : it->second;
}

void DropHelper::fail(const Error& error) {
  if (!channel_) return;
  loop_.remove(channel_.get());
  channel_.reset();
  hooks_.failed(error);
}

void DropHelper::on_message() {
  std::vector<char> bytes(kLargest);
  iovec part{bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(2 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t n = ::recvmsg(channel_.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  // It ended without having read what we said; why it did is behind that error.
  if (n < 0 && errno == ECONNRESET) n = ::recvmsg(channel_.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return fail(gone());
  std::array<UniqueFd, 2> fds;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    const std::size_t count =
        std::min<std::size_t>((header->cmsg_len - CMSG_LEN(0)) / sizeof(int), fds.size());
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
      fds.at(i).reset(fd);
    }
  }
  const auto size = static_cast<std::size_t>(n);
  if (size != sizeof(Reply)) return take_names(bytes.data(), size);
  Reply reply;
  std::memcpy(&reply, bytes.data(), sizeof(reply));
  if (reply.stage == Stage::done) return take_ring(reply, std::move(fds[0]), std::move(fds[1]));
  if (reply.stage != Stage::watch) return fail(explain(reply));
  hooks_.refused(reply.tag, os_error(reply.error, "watch dropped packets"));
}

void DropHelper::take_names(const char* bytes, std::size_t size) {
  drops::NamesHeader header;
  if (size < sizeof(header)) return;
  std::memcpy(&header, bytes, sizeof(header));
  if (header.magic != drops::kMagic || size != sizeof(header) + header.count * sizeof(ReasonName)) return;
  for (std::uint32_t i = 0; i < header.count; ++i) {
    ReasonName one;
    std::memcpy(&one, bytes + sizeof(header) + i * sizeof(one), sizeof(one));
    reasons_.emplace(one.value,
                     one_line({one.name, ::strnlen(one.name, sizeof(one.name))}, sizeof(one.name)));
  }
}

void DropHelper::take_ring(const Reply& reply, UniqueFd ring, UniqueFd counts) {
  Result<DropRing> mapped = DropRing::map(std::move(ring), PODSHARK_DROP_RING);
  if (!mapped) return fail(mapped.error());
  const std::size_t size = PODSHARK_DROP_TAGS * sizeof(podshark_drop_count);
  void* at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, counts.get(), 0);
  if (at == MAP_FAILED) return fail(os_error(errno, "map the counters of dropped packets"));
  counts_ = at;
  counts_size_ = size;
  ring_ = std::move(*mapped);
  whole_packets_ = reply.whole_packets != 0;
  connections_ = reply.connections != 0;
  hooks_.ready();
}

}  // namespace podshark::extcap
