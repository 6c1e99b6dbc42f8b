// SPDX-License-Identifier: GPL-2.0-or-later
// podshark top [TARGET...] [--json] [--once] [--interval S] [--count N] [--sort COLUMN] [--peers N]
#include <cxxopts.hpp>
#include <ostream>

#include "extcap/command.h"
#include "extcap/top/top_session.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

constexpr std::uint64_t kMinIntervalMs = 100;
constexpr std::uint64_t kMaxIntervalMs = 3600 * 1000;
constexpr std::uint64_t kMaxPeers = 4096;

Error wrong(const std::string& option, const std::string& value, const std::string& expected) {
  return {ErrorKind::usage, option + " '" + one_line(value, 40) + "' is not " + expected, {}};
}

// "2", "0.5", "1.25": milliseconds, whatever the locale.
bool parse_seconds(const std::string& text, std::uint64_t& ms) {
  const std::size_t dot = text.find('.');
  std::string fraction = dot == std::string::npos ? "0" : text.substr(dot + 1);
  if (fraction.empty() || fraction.size() > 3) return false;
  fraction.resize(3, '0');
  std::uint64_t whole = 0;
  std::uint64_t part = 0;
  if (!parse_number(text.substr(0, dot), kMaxIntervalMs, whole) || !parse_number(fraction, 999, part))
    return false;
  ms = whole * 1000 + part;
  return true;
}

Status read_counts(const cxxopts::ParseResult& parsed, top::TopOptions& out) {
  if (parsed.count("count") != 0) {
    const auto& text = parsed["count"].as<std::string>();
    if (!parse_number(text, ~std::uint64_t{0}, out.count) || out.count == 0) {
      return wrong("--count", text, "a number from 1");
    }
  }
  if (parsed.count("once") != 0) {
    if (out.count > 1) return Error{ErrorKind::usage, "--once is --count 1", "give one of the two"};
    out.count = 1;
  }
  if (parsed.count("peers") != 0) {
    const auto& text = parsed["peers"].as<std::string>();
    std::uint64_t peers = 0;
    if (!parse_number(text, kMaxPeers, peers)) {
      return wrong("--peers", text, "a number from 0 to " + std::to_string(kMaxPeers));
    }
    out.peers = peers;
  }
  return ok();
}

Result<top::TopOptions> read_options(const cxxopts::ParseResult& parsed) {
  top::TopOptions out;
  if (parsed.count("target") != 0) out.targets = parsed["target"].as<std::vector<std::string>>();
  out.json = parsed.count("json") != 0;
  if (parsed.count("interval") != 0) {
    const auto& text = parsed["interval"].as<std::string>();
    std::uint64_t ms = 0;
    if (!parse_seconds(text, ms) || ms < kMinIntervalMs || ms > kMaxIntervalMs) {
      return wrong("--interval", text, "a number of seconds from 0.1 to 3600");
    }
    out.interval = std::chrono::milliseconds(ms);
  }
  if (parsed.count("sort") != 0) {
    const auto& text = parsed["sort"].as<std::string>();
    const std::optional<top::Sort> sort = top::sort_by_name(text);
    if (!sort) return wrong("--sort", text, "one of " + top::sort_names());
    out.sort = *sort;
  }
  if (const Status s = read_counts(parsed, out); !s) return s.error();
  return out;
}

int fail(std::ostream& err, const Error& error) {
  err << "podshark top: " << error.line() << '\n';
  return static_cast<int>(error.kind);
}

}  // namespace

const char* const kTopMore =
    R"(Columns (per second; LINKDROP to RETRANS: within the refresh / since the start):
  CONTAINER  a container, or those that share its network namespace: pod/NAME (members)
  RX, TX     bytes arriving in and leaving the container on all links but lo (kernel's link counters)
  LO         bytes over its loopback; for rootless containers also what comes in by published ports (same)
  PKT        packets of all of these (same)
  LINKDROP   dropped by its links: rx_dropped + tx_dropped (same)
  SOCKDROP   dropped by its sockets: UDP InErrors, TCP ListenDrops, BacklogDrop, RcvQDrop (/proc/PID/net)
  RETRANS    TCP segments sent again, RetransSegs (/proc/PID/net/snmp)
  CONN       established TCP connections (/proc/PID/net/tcp and tcp6)
  PEER       who it talks to, from the headers of its packets; 'lo' is the container itself
  SERVICE    'on PORT' served by the container (its published port in parentheses), 'to PORT' by the peer
"-" is unknown. Without TARGET: all own containers; for root all rootful ones.
)";

cxxopts::Options top_options() {
  cxxopts::Options options("podshark top",
                           "Traffic, drops, retransmits and connections of containers, live.");
  options.custom_help("[TARGET...] [options]");
  options.positional_help("");
  const auto text = [] { return cxxopts::value<std::string>(); };
  options.add_options()("json", "One JSON object per refresh, one line each (docs/FORMAT.md)")(
      "once", "Measure one interval, print, end")("interval",
                                                  "Seconds between refreshes, 0.1 to 3600 (default: 1)",
                                                  text(), "S")("count", "End after N refreshes", text(), "N")(
      "sort", "Order of the table (default: rate)", text(), top::sort_names())(
      "peers", "Peers shown per container; 0: do not look at packets (default: 20)", text(), "N")(
      "h,help", "This text")("target", "", cxxopts::value<std::vector<std::string>>());
  options.parse_positional({"target"});
  add_host(options);
  return options;
}

int cmd_top(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
  cxxopts::Options table = top_options();
  std::vector<const char*> argv{"podshark top"};
  for (const std::string& a : args) argv.push_back(a.c_str());
  try {
    const cxxopts::ParseResult parsed = table.parse(static_cast<int>(argv.size()), argv.data());
    if (parsed.count("help") != 0) {
      out << table.help() << '\n' << kTopMore;
      return 0;
    }
    const Result<top::TopOptions> options = read_options(parsed);
    if (!options) return fail(err, options.error());
    const Status done = top::run_top(*options);
    return done ? 0 : fail(err, done.error());
  } catch (const cxxopts::exceptions::exception& e) {
    return fail(err, Error{ErrorKind::usage, one_line(e.what(), 200), "see 'podshark top --help'"});
  }
}

}  // namespace podshark::extcap
