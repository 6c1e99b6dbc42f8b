// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/trace/loggers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "podman/core/proc.h"
#include "podman/core/text.h"
#include "podman/kernel/netlink.h"

namespace podshark::extcap::tracing {
namespace {

constexpr std::uint32_t kCopied = 128;  // bytes of each packet: both headers, IPv4 options included

std::string logger_path(bool v4) {
  return v4 ? "/proc/sys/net/netfilter/nf_log/2" : "/proc/sys/net/netfilter/nf_log/10";
}

Logger read_logger(bool v4) {
  Logger out;
  const Result<std::string> tables =
      read_file(v4 ? "/proc/self/net/ip_tables_names" : "/proc/self/net/ip6_tables_names", 4096);
  out.legacy = tables && !trim(*tables).empty();
  if (const Result<std::string> name = read_file(logger_path(v4), 256)) out.name = std::string(trim(*name));
  return out;
}

struct Request {
  nlmsghdr head;
  nfgenmsg about;
  nlattr attribute;
  std::array<char, 8> value;
};

// One NFULNL_MSG_CONFIG with one attribute, and the kernel's answer.
Status configure(int fd, std::uint8_t family, std::uint16_t attribute, const void* value, std::size_t size,
                 const char* what) {
  static std::uint32_t sequence = 0x7F000000;  // dumps count from 1
  Request r{};
  const std::size_t length = offsetof(Request, value) + size;
  r.head.nlmsg_len = static_cast<std::uint32_t>(kernel::aligned(length));
  r.head.nlmsg_type = NFNL_SUBSYS_ULOG << 8U | NFULNL_MSG_CONFIG;
  r.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  r.head.nlmsg_seq = ++sequence;
  r.about.nfgen_family = family;
  r.about.version = NFNETLINK_V0;
  r.about.res_id = htons(0);  // the group that TRACE logs to
  r.attribute.nla_len = static_cast<std::uint16_t>(sizeof(nlattr) + size);
  r.attribute.nla_type = attribute;
  std::memcpy(r.value.data(), value, size);
  const Result<std::vector<char>> answer = kernel::ask(fd, &r, r.head.nlmsg_len, sequence);
  if (!answer) return answer.wrap(what);
  const int error = kernel::error_of(*reinterpret_cast<const nlmsghdr*>(answer->data()));
  // The kernel's words for a group that is taken (net/netfilter/nfnetlink_log.c); permission we have, as our
  // table is there already.
  if (attribute == NFULA_CFG_CMD && (error == EBUSY || error == EPERM))
    return Error{ErrorKind::unsupported, "another program receives the NFLOG group 0", {}};
  if (error != 0) return os_error(error, what);
  return ok();
}

Status command(int fd, std::uint8_t family, std::uint8_t number, const char* what) {
  const nfulnl_msg_config_cmd wanted{number};
  return configure(fd, family, NFULA_CFG_CMD, &wanted, sizeof(wanted), what);
}

Status set_logger(int fd, const Logger& before, bool v4) {
  if (!before.changes()) return ok();
  return command(fd, v4 ? AF_INET : AF_INET6, NFULNL_CFG_CMD_PF_BIND, "set the logger");
}

bool write_file(const std::string& path, const std::string& text) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// Only what is still ours: somebody else may have chosen another one meanwhile.
bool restore_logger(const Logger& before, bool v4) {
  if (!before.changes()) return true;
  const Logger now = read_logger(v4);
  return now.name != Logger::kNetlinkLog || write_file(logger_path(v4), before.name);
}

}  // namespace

Loggers read_loggers() {
  return {read_logger(true), read_logger(false)};
}

std::string to_text(const Loggers& loggers) {
  std::string out;
  for (const Logger* l : {&loggers.v4, &loggers.v6}) out += (l->legacy ? "1" : "0") + l->name + '\n';
  return out;
}

Loggers from_text(const std::string& text) {
  Loggers out;
  const std::vector<std::string> lines = split(text, '\n');
  for (std::size_t i = 0; i < 2 && i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    (i == 0 ? out.v4 : out.v6) = Logger{lines[i].front() == '1', lines[i].substr(1)};
  }
  return out;
}

Result<UniqueFd> open_log(const Loggers& loggers) {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!fd) return os_error(errno, "open a netlink socket");
  // The group first: it is what may be taken, and nothing has been changed by then.
  if (Status s = command(fd.get(), AF_UNSPEC, NFULNL_CFG_CMD_BIND, "receive the NFLOG group 0"); !s)
    return s.error();
  const nfulnl_msg_config_mode mode{htonl(kCopied), NFULNL_COPY_PACKET, 0};
  if (Status s = configure(fd.get(), AF_UNSPEC, NFULA_CFG_MODE, &mode, sizeof(mode), "choose what is logged");
      !s)
    return s.error();
  const std::uint32_t at_once = htonl(1);  // the kernel collects for a second otherwise
  if (Status s = configure(fd.get(), AF_UNSPEC, NFULA_CFG_QTHRESH, &at_once, sizeof(at_once), "choose when");
      !s)
    return s.error();
  Status set = set_logger(fd.get(), loggers.v4, true);
  if (set) set = set_logger(fd.get(), loggers.v6, false);
  if (!set) {
    (void)restore_loggers(loggers);
    return set.error();
  }
  return fd;
}

bool restore_loggers(const Loggers& before) {
  const bool v4 = restore_logger(before.v4, true);
  const bool v6 = restore_logger(before.v6, false);
  return v4 && v6;
}

std::string logger_key(bool v4) {
  return v4 ? "net.netfilter.nf_log.2" : "net.netfilter.nf_log.10";
}

}  // namespace podshark::extcap::tracing
