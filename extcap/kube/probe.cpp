// SPDX-License-Identifier: GPL-2.0-or-later
// kubectl listens on a port of this machine and accepts whoever comes; that the pod did not accept, it tells
// on stderr, and closes. That it did, nobody tells: then no word comes.
#include "extcap/kube/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "extcap/kube/kubectl.h"
#include "podman/core/process.h"
#include "podman/core/text.h"

namespace podshark::extcap::kube {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kReadyLimit{15'000};
constexpr milliseconds kWordsLimit{500};  // stderr comes behind the end of the connection
constexpr std::size_t kMostSaid = 16384;

int left_of(Clock::time_point end) {
  return static_cast<int>(std::max<long>(0, std::chrono::ceil<milliseconds>(end - Clock::now()).count()));
}

// False at the end of the stream.
bool add_some(int fd, std::string& text) {
  std::array<char, 4096> buffer{};
  const ssize_t n = ::read(fd, buffer.data(), buffer.size());
  if (n > 0 && text.size() < kMostSaid) text.append(buffer.data(), static_cast<std::size_t>(n));
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

// "Forwarding from 127.0.0.1:40217 -> 80"
std::uint16_t port_of(const std::string& printed) {
  constexpr std::string_view kBefore = "Forwarding from 127.0.0.1:";
  const std::size_t at = printed.find(kBefore);
  const std::size_t end = at == std::string::npos ? at : printed.find(" ->", at);
  std::uint64_t port = 0;
  if (end == std::string::npos ||
      !parse_number(std::string_view(printed).substr(at + kBefore.size(), end - at - kBefore.size()), 65535,
                    port))
    return 0;
  return static_cast<std::uint16_t>(port);
}

Result<std::uint16_t> wait_ready(const Cluster& cluster, const Child& child, std::string& said) {
  const Clock::time_point end = Clock::now() + kReadyLimit;
  std::string printed;
  bool open = true;
  bool errors_open = true;
  while (open || errors_open) {
    std::array<pollfd, 2> waiting{
        {{open ? child.out() : -1, POLLIN, 0}, {errors_open ? child.errors() : -1, POLLIN, 0}}};
    if (::poll(waiting.data(), waiting.size(), left_of(end)) <= 0)
      return Error{ErrorKind::unreachable,
                   words_for(cluster) + ": kubectl port-forward did not begin within 15 s",
                   "is its API server reachable? try 'kubectl get pods' in a terminal"};
    if (waiting[0].revents != 0) open = add_some(child.out(), printed);
    if (waiting[1].revents != 0) errors_open = add_some(child.errors(), said);
    if (const std::uint16_t port = port_of(printed); port != 0) return port;
  }
  return kubectl_error(cluster, said);
}

// What comes from the pod, its end, or kubectl's word, whichever is first.
PodProbe watch(int connection, const Child& child, std::string& said, Clock::time_point begin,
               milliseconds limit) {
  Clock::time_point end = begin + limit;
  std::string got;
  bool open = true;
  while (left_of(end) > 0) {
    std::array<pollfd, 2> waiting{{{open ? connection : -1, POLLIN, 0}, {child.errors(), POLLIN, 0}}};
    if (::poll(waiting.data(), waiting.size(), left_of(end)) <= 0) break;
    if (waiting[1].revents != 0 && !add_some(child.errors(), said)) {
      if (trim(said).empty()) said = "kubectl port-forward has ended meanwhile";
      break;
    }
    if (!trim(said).empty()) break;
    if (waiting[0].revents == 0) continue;
    open = add_some(connection, got) && open;
    if (!got.empty())
      return {true, "ok", "it answered",
              std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin)};
    if (!open) end = std::min(end, Clock::now() + kWordsLimit);
  }
  const auto after = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
  PodProbe out = said.empty() && open ? PodProbe{true, "ok", "accepted, and kept open", after}
                 : said.empty()       ? PodProbe{false, "closed", "accepted, then closed at once", after}
                                      : forward_failure(said);
  out.after = after;
  return out;
}

}  // namespace

Result<PodPort> parse_pod_port(const std::string& text) {
  const Error wrong{ErrorKind::usage, in_quotes(text) + " is not kube://[CONTEXT@]NAMESPACE/POD:PORT",
                    "'podshark list --kube' shows pods and their ports"};
  const std::size_t colon = text.rfind(':');
  const std::size_t slash = text.rfind('/');
  std::uint64_t port = 0;
  if (colon == std::string::npos || slash == std::string::npos || colon < slash ||
      !parse_number(std::string_view(text).substr(colon + 1), 65535, port) || port == 0)
    return wrong;
  Result<PodName> pod = parse_pod_name(text.substr(0, colon));
  if (!pod || names_several(*pod) || !pod->container.empty()) return wrong;
  return PodPort{std::move(*pod), static_cast<std::uint16_t>(port)};
}

PodProbe forward_failure(const std::string& said) {
  const std::string line = last_line(said, 300);
  const auto has = [&](const char* words) { return said.find(words) != std::string::npos; };
  if (has("connection refused") || has("Connection refused"))
    return {false, "refused", "nothing listens on that port at 127.0.0.1 in the pod", {}};
  if (has("i/o timeout") || has("timed out"))
    return {false, "filtered", "no answer within the pod: " + line, {}};
  return {false, "failed", line, {}};
}

Result<PodProbe> probe_pod(const PodPort& target, milliseconds limit) {
  if (find_program("kubectl").empty()) return no_kubectl();
  const Cluster& cluster = target.pod.cluster;
  Result<Child> child = spawn(
      kubectl_words(cluster, {"port-forward", "--namespace=" + target.pod.name_space, "--address=127.0.0.1",
                              "pod/" + target.pod.pod, ":" + std::to_string(target.port)}),
      {"LC_ALL=C"}, {.errors = true});
  if (!child) return child.error();
  std::string said;
  const Result<std::uint16_t> port = wait_ready(cluster, *child, said);
  if (!port) return port.error();
  said.clear();  // warnings
  const UniqueFd connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in there{};
  there.sin_family = AF_INET;
  there.sin_port = htons(*port);
  there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const Clock::time_point begin = Clock::now();
  if (!connection ||
      ::connect(connection.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0)
    return os_error(errno, "connect to kubectl port-forward");
  return watch(connection.get(), *child, said, begin, limit);
}

}  // namespace podshark::extcap::kube
