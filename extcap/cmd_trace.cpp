// SPDX-License-Identifier: GPL-2.0-or-later
// podshark trace [--from host|CONTAINER | --wait S] TARGET[:PORT][/PROTOCOL] [--yes] [--timeout S] [--json]
#include <cxxopts.hpp>
#include <ostream>

#include "extcap/command.h"
#include "extcap/probe/request.h"
#include "extcap/trace/session.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

using std::chrono::milliseconds;
using tracing::TraceOptions;

constexpr milliseconds kLeastTimeout{500};  // a connection is watched for 400 ms
constexpr milliseconds kMostTimeout{60'000};
constexpr milliseconds kMostWait{3'600'000};

Result<TraceOptions> read_options(const cxxopts::ParseResult& parsed) {
  TraceOptions out;
  std::vector<std::string> targets;
  if (parsed.count("target") != 0) targets = parsed["target"].as<std::vector<std::string>>();
  if (targets.size() != 1) return Error{ErrorKind::usage, "give one TARGET", "see 'podshark trace --help'"};
  out.target = targets.front();
  if (parsed.count("from") != 0) out.from = parsed["from"].as<std::string>();
  out.yes = parsed.count("yes") != 0;
  out.json = parsed.count("json") != 0;
  const auto seconds = [&](const char* name, milliseconds most, const char* range) -> Result<milliseconds> {
    const auto& text = parsed[name].as<std::string>();
    if (const auto time = probing::parse_seconds(text, kLeastTimeout, most)) return *time;
    return Error{
        ErrorKind::usage,
        "--" + std::string(name) + " '" + one_line(text, 40) + "' is not a number of seconds from " + range,
        {}};
  };
  if (parsed.count("timeout") != 0) {
    const Result<milliseconds> time = seconds("timeout", kMostTimeout, "0.5 to 60");
    if (!time) return time.error();
    out.timeout = *time;
  }
  if (parsed.count("wait") != 0) {
    if (parsed.count("from") != 0 || parsed.count("timeout") != 0)
      return Error{ErrorKind::usage, "--wait probes nothing: it goes with neither --from nor --timeout", {}};
    const Result<milliseconds> time = seconds("wait", kMostWait, "0.5 to 3600");
    if (!time) return time.error();
    out.wait = *time;
  }
  return out;
}

int fail(std::ostream& err, const Error& error) {
  err << "podshark trace: " << error.line() << '\n';
  return static_cast<int>(error.kind);
}

int exit_code(probing::Verdict verdict) {
  if (verdict == probing::Verdict::failed) return static_cast<int>(ErrorKind::unreachable);
  return verdict == probing::Verdict::ok ? 0 : static_cast<int>(ErrorKind::unsupported);
}

}  // namespace

const char* const kTraceMore =
    R"(TARGET and WHERE are those of 'podshark probe'; PROTOCOL is tcp, udp or icmp (default: tcp).

Probes TARGET once, and shows which firewall rules its packets and the answers meet, up to the verdict. For
that, after asking you, a table that only marks packets is put into each network namespace on the way. It
changes no verdict, and the kernel removes it when podshark ends. Nothing is ever disabled.

With --wait nothing is probed: packets are shown that others send to TARGET, a published port of it included, and
the answers: those of a client outside, or a connection that is tried again. Until S seconds are over, or Ctrl-C.
Exit code: 0 reached, 12 not reached, 2 no consent, 5 no namespace on the way may be traced; with --wait: 0 no
rule stopped what was seen, 12 one did, 7 nothing was seen.
)";

cxxopts::Options trace_options() {
  cxxopts::Options options("podshark trace",
                           "Shows rule by rule what the firewalls do to a probe's packets.");
  options.custom_help("TARGET [options]");
  options.positional_help("");
  const auto text = [] { return cxxopts::value<std::string>(); };
  options.add_options()("from", "Where the probe starts: host or a container (default: host)", text(),
                        "WHERE")("yes", "Do not ask: I consent to the temporary table")(
      "wait", "Probe nothing: packets of others, for so many seconds, up to 3600", text(), "S")(
      "timeout", "Seconds for the probe, 0.5 to 60 (default: 3)", text(), "S")(
      "json", "One JSON object (docs/FORMAT.md)")("h,help", "This text")(
      "target", "", cxxopts::value<std::vector<std::string>>());
  options.parse_positional({"target"});
  add_host(options);
  return options;
}

int cmd_trace(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
  cxxopts::Options table = trace_options();
  std::vector<const char*> argv{"podshark trace"};
  for (const std::string& a : args) argv.push_back(a.c_str());
  try {
    const cxxopts::ParseResult parsed = table.parse(static_cast<int>(argv.size()), argv.data());
    if (parsed.count("help") != 0) {
      out << table.help() << '\n' << kTraceMore;
      return 0;
    }
    const Result<TraceOptions> options = read_options(parsed);
    if (!options) return fail(err, options.error());
    const Result<probing::Verdict> verdict = tracing::run_trace(*options, out, err);
    return verdict ? exit_code(*verdict) : fail(err, verdict.error());
  } catch (const cxxopts::exceptions::exception& e) {
    return fail(err, Error{ErrorKind::usage, one_line(e.what(), 200), "see 'podshark trace --help'"});
  }
}

}  // namespace podshark::extcap
