// SPDX-License-Identifier: GPL-2.0-or-later
// podshark probe [--from host|CONTAINER|ssh://HOST] TARGET[:PORT][/PROTOCOL] [options]
#include <cxxopts.hpp>
#include <ostream>

#include "extcap/command.h"
#include "extcap/kube/probe.h"
#include "extcap/probe/render.h"
#include "extcap/probe/session.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

using probing::ProbeOptions;
using std::chrono::milliseconds;

constexpr milliseconds kLeastTimeout{500};  // a connection is watched for 400 ms
constexpr milliseconds kMostTimeout{60'000};
constexpr milliseconds kLeastInterval{100};
constexpr milliseconds kMostInterval{3600'000};
constexpr std::uint64_t kMaxCount = 1'000'000'000;

Error wrong(const std::string& option, const std::string& value, const std::string& expected) {
  return {ErrorKind::usage, option + " '" + one_line(value, 40) + "' is not " + expected, {}};
}

Status read_seconds(const cxxopts::ParseResult& parsed, const char* name, milliseconds least,
                    milliseconds most, const char* expected, milliseconds& out) {
  if (parsed.count(name) == 0) return ok();
  const auto& text = parsed[name].as<std::string>();
  const auto time = probing::parse_seconds(text, least, most);
  if (!time) return wrong(std::string("--") + name, text, expected);
  out = *time;
  return ok();
}

Status read_times(const cxxopts::ParseResult& parsed, ProbeOptions& out) {
  if (Status s = read_seconds(parsed, "timeout", kLeastTimeout, kMostTimeout,
                              "a number of seconds from 0.5 to 60", out.timeout);
      !s) {
    return s;
  }
  if (Status s = read_seconds(parsed, "interval", kLeastInterval, kMostInterval,
                              "a number of seconds from 0.1 to 3600", out.interval);
      !s) {
    return s;
  }
  if (parsed.count("interval") != 0) out.count = 0;
  if (parsed.count("count") == 0) return ok();
  const auto& text = parsed["count"].as<std::string>();
  if (!parse_number(text, kMaxCount, out.count) || out.count == 0)
    return wrong("--count", text, "a number from 1");
  return ok();
}

Status check(const ProbeOptions& o, std::size_t targets, bool from) {
  if (!o.mesh.empty()) {
    const bool other = targets != 0 || from || o.all_ports || o.listen || o.published || o.mtu;
    return other ? Error{ErrorKind::usage, "--mesh takes no TARGET, --from, or kind of probe", {}} : ok();
  }
  if (targets != 1) return Error{ErrorKind::usage, "give one TARGET", "see 'podshark probe --help'"};
  if (o.all_ports && (o.listen || o.published || o.mtu))
    return Error{ErrorKind::usage, "--all-ports takes no --listen, --published or --mtu", {}};
  if (o.mtu && (o.listen || o.published))
    return Error{ErrorKind::usage, "--mtu takes no --listen or --published", {}};
  return ok();
}

Result<ProbeOptions> read_options(const cxxopts::ParseResult& parsed) {
  ProbeOptions out;
  std::vector<std::string> targets;
  if (parsed.count("target") != 0) targets = parsed["target"].as<std::vector<std::string>>();
  if (!targets.empty()) out.target = targets.front();
  if (parsed.count("from") != 0) out.from = parsed["from"].as<std::string>();
  if (parsed.count("mesh") != 0) out.mesh = parsed["mesh"].as<std::string>();
  out.published = parsed.count("published") != 0;
  out.listen = parsed.count("listen") != 0;
  out.mtu = parsed.count("mtu") != 0;
  out.all_ports = parsed.count("all-ports") != 0;
  out.json = parsed.count("json") != 0;
  if (Status s = read_times(parsed, out); !s) return s.error();
  if (Status s = check(out, targets.size(), parsed.count("from") != 0); !s) return s.error();
  return out;
}

int fail(std::ostream& err, const Error& error) {
  err << "podshark probe: " << error.line() << '\n';
  return static_cast<int>(error.kind);
}

int exit_code(probing::Verdict verdict) {
  switch (verdict) {
    case probing::Verdict::failed:
      return static_cast<int>(ErrorKind::unreachable);
    case probing::Verdict::not_measured:
      return static_cast<int>(ErrorKind::unsupported);
    default:
      return 0;
  }
}

// Of a pod nothing is tried but what kubectl port-forward can.
int probe_kube(const ProbeOptions& options, std::ostream& out, std::ostream& err) {
  if (options.json || options.listen || options.mtu || options.all_ports || options.published ||
      options.count != 1 || options.from != ProbeOptions{}.from)
    return fail(err, {ErrorKind::unsupported, "a port of a pod takes no option but --timeout",
                      "it is probed once, by a TCP connection through kubectl port-forward"});
  const Result<kube::PodPort> target = kube::parse_pod_port(options.target);
  if (!target) return fail(err, target.error());
  const Result<kube::PodProbe> probe = kube::probe_pod(*target, options.timeout);
  if (!probe) return fail(err, probe.error());
  out << one_line(options.target, 400) << "/tcp through kubectl port-forward: " << probe->outcome << ": "
      << one_line(probe->words, 400) << " ("
      << probing::milliseconds_text(static_cast<double>(probe->after.count()) / 1000) << " ms)\n";
  if (probe->reached)
    out << "  proven: something in the pod accepts connections to 127.0.0.1:" << target->port
        << "\n  not proven: that it listens on the pod's address, and that Services and network policies let "
           "clients in\n";
  return probe->reached ? 0 : static_cast<int>(ErrorKind::unreachable);
}

}  // namespace

const char* const kProbeMore =
    R"(TARGET is HOST[:PORT][/PROTOCOL], PROTOCOL tcp, udp, icmp, dns or mtu (default: tcp).
  web:80             port 80 of container web at its own address (rootless, from the host: as published)
  web:80 --published the same through the host, as a published port
  host:8080          port 8080 of the host; so also an address, or a name that the source can look up
  web/icmp           does it answer ping
  db/dns             does the source's name server know the name db
  web/mtu            the largest packet that comes through
  kube://store/shop:80  port 80 of pod shop in namespace store, through kubectl port-forward

Outcomes:
  ok            reached; a successful connect alone does not count
  refused       somebody said no
  filtered      nothing came back within the timeout
  unreachable   no route, no neighbour, or a router says so
  closed        accepted, then closed at once
  silent        it ended in a queue that nobody reads, or nobody answered
  no name       the name server has no address for it
  not measured  there was no try
Exit code: 0 all ok, 12 a target was not reached, 7 something could not be measured.
)";

cxxopts::Options probe_options() {
  cxxopts::Options options("podshark probe",
                           "Probes whether a port, host or name can be reached, and says why not.");
  options.custom_help("TARGET [options]");
  options.positional_help("");
  const auto text = [] { return cxxopts::value<std::string>(); };
  options.add_options()("from",
                        "Where the probe starts: host, a container, another machine as "
                        "ssh://[USER@]HOST[:PORT], or ssh://.../CONTAINER there (default: host)",
                        text(), "WHERE")("published", "Probe PORT of a container as the host publishes it")(
      "listen", "Open a listener at TARGET's port, and tell how the client's address looks there")(
      "mtu", "The same as /mtu")("all-ports", "All published ports, and all TCP ports that listen")(
      "mesh", "From every container to the TCP ports of all others", text(), "pod/NAME|net/NAME")(
      "count", "Probe N times (default: 1)", text(), "N")(
      "interval", "Seconds between probes; without --count until stopped", text(), "S")(
      "timeout", "Seconds for each probe, 0.5 to 60 (default: 3)", text(), "S")(
      "json", "One JSON object per probe, one line each (docs/FORMAT.md)")("h,help", "This text")(
      "target", "", cxxopts::value<std::vector<std::string>>());
  options.parse_positional({"target"});
  add_host(options);
  return options;
}

int cmd_probe(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
  cxxopts::Options table = probe_options();
  std::vector<const char*> argv{"podshark probe"};
  for (const std::string& a : args) argv.push_back(a.c_str());
  try {
    const cxxopts::ParseResult parsed = table.parse(static_cast<int>(argv.size()), argv.data());
    if (parsed.count("help") != 0) {
      out << table.help() << '\n' << kProbeMore;
      return 0;
    }
    const Result<ProbeOptions> options = read_options(parsed);
    if (!options) return fail(err, options.error());
    if (kube::is_pod_name(options->target)) return probe_kube(*options, out, err);
    const Result<probing::Verdict> verdict = probing::run_probe(*options, out);
    return verdict ? exit_code(*verdict) : fail(err, verdict.error());
  } catch (const cxxopts::exceptions::exception& e) {
    return fail(err, Error{ErrorKind::usage, one_line(e.what(), 200), "see 'podshark probe --help'"});
  }
}

}  // namespace podshark::extcap
