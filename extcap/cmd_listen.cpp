// SPDX-License-Identifier: GPL-2.0-or-later
// podshark listen CONTAINER:PORT[/tcp|/udp] [--count N] [--timeout S] [--json]
#include <cxxopts.hpp>
#include <ostream>

#include "extcap/command.h"
#include "extcap/probe/session.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLeastTimeout{100};
constexpr milliseconds kMostTimeout{86'400'000};
constexpr std::uint64_t kMaxCount = 1'000'000'000;

Result<probing::ListenOptions> read_options(const cxxopts::ParseResult& parsed) {
  probing::ListenOptions out;
  std::vector<std::string> targets;
  if (parsed.count("target") != 0) targets = parsed["target"].as<std::vector<std::string>>();
  if (targets.size() != 1)
    return Error{ErrorKind::usage, "give one CONTAINER:PORT", "see 'podshark listen --help'"};
  out.target = targets.front();
  out.json = parsed.count("json") != 0;
  if (parsed.count("count") != 0) {
    const auto& text = parsed["count"].as<std::string>();
    if (!parse_number(text, kMaxCount, out.count) || out.count == 0)
      return Error{ErrorKind::usage, "--count '" + one_line(text, 40) + "' is not a number from 1", {}};
  }
  if (parsed.count("timeout") != 0) {
    const auto& text = parsed["timeout"].as<std::string>();
    const auto time = probing::parse_seconds(text, kLeastTimeout, kMostTimeout);
    if (!time) {
      return Error{ErrorKind::usage,
                   "--timeout '" + one_line(text, 40) + "' is not a number of seconds from 0.1 to 86400",
                   {}};
    }
    out.timeout = *time;
  }
  return out;
}

int fail(std::ostream& err, const Error& error) {
  err << "podshark listen: " << error.line() << '\n';
  return static_cast<int>(error.kind);
}

}  // namespace

cxxopts::Options listen_options() {
  cxxopts::Options options("podshark listen",
                           "Listens inside a container, answers each client one line, and prints who came.");
  options.custom_help("CONTAINER:PORT[/tcp|/udp] [options]");
  options.positional_help("");
  const auto text = [] { return cxxopts::value<std::string>(); };
  options.add_options()("count", "End after N arrivals", text(), "N")(
      "timeout", "End after S seconds, 0.1 to 86400; nothing arrived: exit code 12", text(), "S")(
      "json", "One JSON object per arrival, one line each (docs/FORMAT.md)")("h,help", "This text")(
      "target", "", cxxopts::value<std::vector<std::string>>());
  options.parse_positional({"target"});
  add_host(options);
  return options;
}

int cmd_listen(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
  cxxopts::Options table = listen_options();
  std::vector<const char*> argv{"podshark listen"};
  for (const std::string& a : args) argv.push_back(a.c_str());
  try {
    const cxxopts::ParseResult parsed = table.parse(static_cast<int>(argv.size()), argv.data());
    if (parsed.count("help") != 0) {
      out << table.help();
      return 0;
    }
    const Result<probing::ListenOptions> options = read_options(parsed);
    if (!options) return fail(err, options.error());
    const Result<probing::Verdict> verdict = probing::run_listen(*options, out, err);
    if (!verdict) return fail(err, verdict.error());
    return *verdict == probing::Verdict::ok ? 0 : static_cast<int>(ErrorKind::unreachable);
  } catch (const cxxopts::exceptions::exception& e) {
    return fail(err, Error{ErrorKind::usage, one_line(e.what(), 200), "see 'podshark listen --help'"});
  }
}

}  // namespace podshark::extcap
