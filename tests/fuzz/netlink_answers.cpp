// SPDX-License-Identifier: GPL-2.0-or-later
// libFuzzer target: what rtnetlink says of links, addresses, routes, rules and neighbours; names and numbers
// in it are those of whoever is root in the container. The first byte of the input chooses the question, the
// rest are netlink messages. A socket pair stands for the kernel: the answer waits in it before podshark
// asks.
#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "extcap/agent/links.h"
#include "podman/core/fd.h"
#include "podman/kernel/link_counters.h"
#include "podman/kernel/net_state.h"
#include "podman/kernel/rtnetlink.h"
#include "podman/kernel/topology.h"
#include "tests/fuzz/clean.h"

namespace {

using namespace podshark;
using fuzz::require;

std::uint32_t sequence_of(std::string_view message) {
  nlmsghdr head{};
  std::memcpy(&head, message.data(), std::min(sizeof(head), message.size()));
  return head.nlmsg_seq;
}

class Kernel {
 public:
  Kernel() {
    std::array<int, 2> ends{};
    require(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
    here_.reset(ends[0]);
    there_.reset(ends[1]);
  }
  [[nodiscard]] int fd() const { return here_.get(); }

  void answer(std::string_view bytes) {
    (void)::send(there_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  }

  /// The answer to `dumps` requests, each up to its end. Sequence numbers count up with every one that is
  /// asked; those of messages that claim to be another's stay.
  void answer_dumps(std::string_view messages, unsigned dumps) {
    for (std::uint32_t i = 0; i < dumps; ++i) {
      const std::uint32_t sequence = last_ + 1 + i;
      std::string bytes(messages);
      for (std::size_t at = 0; at + sizeof(nlmsghdr) <= bytes.size();) {
        nlmsghdr head{};
        std::memcpy(&head, bytes.data() + at, sizeof(head));
        if (head.nlmsg_seq != ~std::uint32_t{0}) head.nlmsg_seq = sequence;
        std::memcpy(bytes.data() + at, &head, sizeof(head));
        if (head.nlmsg_len < sizeof(head)) break;
        at += (std::size_t{head.nlmsg_len} + 3) & ~std::size_t{3};
      }
      answer(bytes);
      const nlmsghdr done{sizeof(done), NLMSG_DONE, NLM_F_MULTI, sequence, 0};
      answer({reinterpret_cast<const char*>(&done), sizeof(done)});
    }
  }

  /// What was asked last.
  std::uint32_t asked() {
    std::array<char, 256> request{};
    std::uint32_t out = 0;
    for (ssize_t n = 0; (n = ::recv(there_.get(), request.data(), request.size(), MSG_DONTWAIT)) > 0;)
      out = sequence_of({request.data(), static_cast<std::size_t>(n)});
    return out;
  }

  void remember_dumps() { last_ = std::max(last_, asked()); }

 private:
  UniqueFd here_;
  UniqueFd there_;
  static inline std::uint32_t last_ = 0;  // sequence number of the last dump of this process
};

// A question with one answer has a sequence number of its own, always the same.
template <typename Ask>
void one_answer(std::string_view message, const Ask& ask) {
  static const std::uint32_t sequence = [&] {
    Kernel kernel;
    kernel.answer(std::string_view("\0", 1));
    ask(kernel.fd());
    return kernel.asked();
  }();
  std::string bytes(message);
  if (bytes.size() >= sizeof(nlmsghdr))
    std::memcpy(bytes.data() + offsetof(nlmsghdr, nlmsg_seq), &sequence, sizeof(sequence));
  Kernel kernel;
  kernel.answer(bytes);
  const nlmsghdr end{sizeof(end), NLMSG_DONE, 0, sequence, 0};
  kernel.answer({reinterpret_cast<const char*>(&end), sizeof(end)});
  ask(kernel.fd());
}

void ask_all(std::string_view messages, unsigned dumps, const std::function<void(int)>& ask) {
  Kernel kernel;
  kernel.answer_dumps(messages, dumps);
  ask(kernel.fd());
  kernel.remember_dumps();
}

void list_links(int fd) {
  const auto links = kernel::list_links(fd);
  if (!links) return;
  for (const model::Link& l : *links) {
    require(l.mac.find_first_not_of("0123456789abcdef:") == std::string::npos);
    for (const std::string& a : l.addresses) require(a.find('/') != std::string::npos);
  }
  (void)kernel::peers_in(*links, 0);
}

void of_agent(std::string_view datagram) {
  static const auto list = std::make_unique<agent::LinkList>();
  list->count = 0;
  list->cut = false;
  (void)agent::read_answer(datagram.data(), datagram.size(), sequence_of(datagram), list.get());
  require(list->count <= agent::kMaxLinks);
  for (std::size_t i = 0; i < list->count; ++i) {
    agent::Line line;
    agent::describe(list->links[i], &line);
    fuzz::clean(std::string_view(line.text().data, line.text().size));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  switch (input.byte() % 7) {
    case 0:
      ask_all(input.rest(), 2, list_links);
      break;
    case 1:
      ask_all(input.rest(), 4, [](int fd) {
        const auto state = kernel::net_state(fd);
        if (state) require(state->routes.size() <= kernel::kMaxEntries);
      });
      break;
    case 2:
      ask_all(input.rest(), 1, [](int fd) { (void)kernel::link_counters(fd); });
      break;
    case 3:
      ask_all(input.rest(), 1, [](int fd) { (void)kernel::uplinks(fd); });
      break;
    case 4:
      one_answer(input.rest(), [](int fd) { (void)kernel::namespace_id(fd, 1); });
      break;
    case 5:
      one_answer(input.rest(), [](int fd) { (void)kernel::route_to(fd, *IpAddress::parse("10.88.0.2")); });
      break;
    default:
      of_agent(input.rest());
  }
  return 0;
}
