// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/probe/names.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "extcap/probe/request.h"
#include "podman/core/fd.h"
#include "podman/core/text.h"

namespace podshark::extcap::probing {
namespace {

constexpr std::size_t kMaxFile = std::size_t{64} << 10U;
constexpr std::size_t kMaxServers = 3;
constexpr std::size_t kMaxSearch = 6;

std::vector<std::string> entry(std::string_view line) {
  line = line.substr(0, line.find_first_of("#;\r"));
  return words(line);
}

// A container's "/etc/hosts -> /etc/shadow" must mean its own file, and a pipe there must not hold us.
Result<std::string> read_within(int root, const char* path) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, root, path, &how, sizeof(how))));
  if (!fd && errno == ENOENT) return std::string();
  const std::string what = std::string("read '/") + path + "' of the source";
  struct stat st {};
  if (!fd || ::fstat(fd.get(), &st) != 0) return os_error(errno, what);
  if (!S_ISREG(st.st_mode)) return Error{ErrorKind::unsupported, what + ": it is no regular file", {}};
  std::string text(kMaxFile + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(fd.get(), text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os_error(errno, what);
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  if (size > kMaxFile) return Error{ErrorKind::unsupported, what + ": it is larger than 64 KiB", {}};
  text.resize(size);
  return text;
}

bool same_name(const std::string& a, const std::string& b) {
  return ::strcasecmp(a.c_str(), b.c_str()) == 0;
}

}  // namespace

Result<NameService> read_name_service(pid_t pid) {
  return read_name_service_in(pid == 0 ? "/" : "/proc/" + std::to_string(pid) + "/root");
}

Result<NameService> read_name_service_in(const std::string& path) {
  const UniqueFd root(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return os_error(errno, "open '" + path + "'");
  NameService out;
  const Result<std::string> resolv = read_within(root.get(), "etc/resolv.conf");
  if (!resolv) return resolv.error();
  const Result<std::string> hosts = read_within(root.get(), "etc/hosts");
  if (!hosts) return hosts.error();
  parse_resolv_conf(*resolv, out);
  parse_hosts(*hosts, out);
  return out;
}

void parse_resolv_conf(std::string_view text, NameService& out) {
  for (const std::string& line : split(text, '\n')) {
    const std::vector<std::string> word = entry(line);
    if (word.size() < 2) continue;
    if (word[0] == "nameserver" && out.servers.size() < kMaxServers) {
      // A scope ("fe80::1%eth0") is not understood: such a server is left out.
      if (const auto address = IpAddress::parse(word[1])) out.servers.push_back(*address);
    } else if (word[0] == "search" || word[0] == "domain") {
      out.search.clear();  // the last one counts, resolv.conf(5)
      for (std::size_t i = 1; i < word.size() && out.search.size() < kMaxSearch; ++i) {
        if (is_host_name(word[i])) out.search.push_back(word[i]);
      }
    }
  }
}

void parse_hosts(std::string_view text, NameService& out) {
  for (const std::string& line : split(text, '\n')) {
    const std::vector<std::string> word = entry(line);
    const auto address = word.size() < 2 ? std::nullopt : IpAddress::parse(word[0]);
    if (!address) continue;
    for (std::size_t i = 1; i < word.size(); ++i) {
      if (out.hosts.size() == kMaxHosts) return;
      out.hosts.emplace_back(word[i], *address);
    }
  }
}

std::vector<IpAddress> find_host(const NameService& names, const std::string& name) {
  std::vector<IpAddress> out;
  for (const auto& [known, address] : names.hosts) {
    if (same_name(known, name)) out.push_back(address);
  }
  return out;
}

std::vector<std::string> with_search(const NameService& names, const std::string& name) {
  if (name.ends_with('.')) return {name};
  std::vector<std::string> out;
  const bool dotted = name.find('.') != std::string::npos;
  if (dotted) out.push_back(name);
  for (const std::string& domain : names.search) {
    // "search ." of systemd-resolved
    if (domain != "." && name.size() + domain.size() < 253) out.push_back(name + "." + domain);
  }
  if (!dotted) out.push_back(name);
  return out;
}

}  // namespace podshark::extcap::probing
