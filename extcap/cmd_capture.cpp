// SPDX-License-Identifier: GPL-2.0-or-later
// podshark capture TARGET... [-i LINK] [-f FILTER] [-c N] [--duration S] [-s SNAPLEN] [-w FILE|-]
#include <unistd.h>

#include <algorithm>
#include <cxxopts.hpp>
#include <initializer_list>
#include <iostream>
#include <optional>

#include "extcap/capture/recorder.h"
#include "extcap/capture/session.h"
#include "extcap/command.h"
#include "extcap/kube/capture.h"
#include "extcap/kube/pod_name.h"
#include "extcap/naming.h"
#include "extcap/options.h"
#include "extcap/remote/far_run.h"
#include "extcap/remote/far_script.h"
#include "extcap/remote/far_session.h"
#include "extcap/remote/hosts.h"
#include "extcap/remote/merge.h"
#include "extcap/selection.h"
#include "podman/core/clock.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

struct Request {
  std::vector<std::string> targets;
  std::string output;
  RotationRule rotation;
  std::chrono::seconds last{0};
  std::uint64_t last_mib = 512;
  SessionOptions session;
  bool quiet = false;
  std::string context;  // of Kubernetes
};

Status read_limit(const cxxopts::ParseResult& parsed, const char* name, std::uint64_t most,
                  std::uint64_t& out) {
  if (parsed.count(name) == 0) return ok();
  const auto& text = parsed[name].as<std::string>();
  if (!parse_number(text, most, out) || out == 0) {
    return Error{ErrorKind::usage,
                 std::string("--") + name + " '" + one_line(text, 40) + "' is not a number from 1 to " +
                     std::to_string(most),
                 {}};
  }
  return ok();
}

// "90s", "5m", "1h", "300"
Status read_time(const std::string& text, std::chrono::seconds& out) {
  const std::size_t digits = text.find_first_not_of("0123456789");
  const std::string unit = digits == std::string::npos ? "s" : text.substr(digits);
  const std::uint64_t factor = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  std::uint64_t value = 0;
  constexpr std::uint64_t kDay = 24 * 3600;
  if (!parse_number(text.substr(0, digits), kDay, value) || value == 0 || factor == 0 ||
      value * factor > kDay) {
    return Error{ErrorKind::usage, "--last " + in_quotes(text) + " is not a time up to a day",
                 "for example 90s, 5m or 1h"};
  }
  out = std::chrono::seconds(value * factor);
  return ok();
}

Status read_triggers(const std::string& text, SessionOptions& options) {
  options.save_on_exit = options.save_on_loss = options.save_on_probe = options.save_on_end = false;
  for (const std::string& word : split(text, ',')) {
    if (word == "exit") options.save_on_exit = true;
    if (word == "loss") options.save_on_loss = true;
    if (word == "probe") options.save_on_probe = true;
    if (word == "end") options.save_on_end = true;
    if (word != "exit" && word != "loss" && word != "probe" && word != "end" && word != "none")
      return Error{
          ErrorKind::usage, "--save-on " + in_quotes(word) + " is not exit, loss, probe, end or none", {}};
  }
  return ok();
}

// -w with changing files, or a history: both need a name of a file, and exclude each other.
Status read_files(const cxxopts::ParseResult& parsed, Request& r) {
  if (parsed.count("ring-buffer") != 0) {
    for (const std::string& rule : parsed["ring-buffer"].as<std::vector<std::string>>()) {
      if (const Status s = read_rotation(rule, r.rotation); !s) return s.error();
    }
    if (!r.rotation.active())
      return Error{ErrorKind::usage, "-b files:N alone never changes files",
                   "add filesize, duration or packets"};
  }
  if (const Status s = read_limit(parsed, "last-size", 65536, r.last_mib); !s) return s.error();
  if (parsed.count("save-on") != 0) {
    if (const Status s = read_triggers(parsed["save-on"].as<std::string>(), r.session); !s) return s.error();
  }
  if (parsed.count("last") != 0) {
    if (const Status s = read_time(parsed["last"].as<std::string>(), r.last); !s) return s.error();
  } else if (parsed.count("save-on") != 0 || parsed.count("last-size") != 0) {
    return Error{ErrorKind::usage, "--save-on and --last-size belong to --last", "add --last 5m"};
  }
  const bool changing = r.rotation.active() || r.last.count() != 0;
  if (changing && r.output == "-")
    return Error{ErrorKind::usage, "-b and --last write files of their own", "name one with -w FILE"};
  if (r.rotation.active() && r.last.count() != 0)
    return Error{ErrorKind::usage, "-b and --last exclude each other", "choose one"};
  return ok();
}

Result<Request> read_request(const cxxopts::ParseResult& parsed) {
  Request r;
  r.targets = parsed.unmatched();
  if (r.targets.empty()) {
    return Error{ErrorKind::usage, "capture what?",
                 "name a container, pod/NAME or all; 'podshark list' shows them"};
  }
  const OptionSource source = [&](const std::string& name) -> std::optional<std::string> {
    if (name == "links" || parsed.count(name) == 0) return std::nullopt;
    if (name == "wait" || name == "install-tool" || name == "all-host") return "true";
    return parsed[name].as<std::string>();
  };
  if (const Status s = read_link_options(source, r.session); !s) return s.error();
  constexpr std::uint64_t kYear = std::uint64_t{365} * 24 * 3600;
  std::uint64_t seconds = 0;
  if (const Status s = read_limit(parsed, "count", ~std::uint64_t{0}, r.session.count); !s) return s.error();
  if (const Status s = read_limit(parsed, "duration", kYear, seconds); !s) return s.error();
  r.session.duration = std::chrono::seconds(seconds);
  if (parsed.count("filter") != 0) r.session.link.filter = parsed["filter"].as<std::string>();
  r.quiet = parsed.count("quiet") != 0;
  if (parsed.count("context") != 0) r.context = parsed["context"].as<std::string>();
  r.output = parsed.count("write") != 0 ? parsed["write"].as<std::string>() : "-";
  if (const Status s = read_files(parsed, r); !s) return s.error();
  if (r.output == "-" && ::isatty(STDOUT_FILENO) != 0) {
    return Error{ErrorKind::usage, "pcapng is not for a terminal",
                 "use -w FILE, or pipe it: podshark capture web -w - | wireshark -k -i -"};
  }
  return r;
}

int fail(std::ostream& err, const Error& error) {
  err << "podshark capture: " << error.line() << '\n';
  return static_cast<int>(error.kind);
}

Result<std::unique_ptr<Recorder>> make_recorder(const Request& request) {
  if (request.last.count() != 0) {
    if (const Status s = Recorder::try_place(request.output); !s) return s.error();
    return std::make_unique<Recorder>(
        std::make_unique<History>(request.last, static_cast<std::size_t>(request.last_mib) << 20U));
  }
  if (request.rotation.active()) {
    FileSet files(request.output, request.rotation);
    Result<Output> first = files.next(now_ns());
    if (!first) return first.error();
    return std::make_unique<Recorder>(std::move(files), std::move(*first));
  }
  Result<Output> output = Output::open(request.output);
  if (!output) return output.error();
  return std::make_unique<Recorder>(std::move(*output));
}

void show_in(SessionOptions& session, const Request& request, std::ostream& err) {
  if (!request.quiet && ::isatty(STDERR_FILENO) != 0) session.progress = &err;
  if (!request.quiet) session.notices = &err;
  session.failures = &err;
  if (request.last.count() != 0) session.history_path = request.output;
}

Result<Summary> capture(const Request& request, std::ostream& err) {
  // Wrong filters and targets are told before a file is touched.
  if (const Result<Filter> f =
          Filter::compile(request.session.link.filter, wire::kLinktypeEthernet, request.session.link.snaplen);
      !f) {
    return f.error();
  }
  Result<Selection> selection =
      select(request.targets, {.wait = request.session.roster.wait, .start = request.session.start});
  if (!selection) return selection.error();
  SessionOptions session = request.session;
  show_in(session, request, err);
  Result<std::unique_ptr<Recorder>> recorder = make_recorder(request);
  if (!recorder) return recorder.error();
  if (const Output* out = (*recorder)->output(); out != nullptr) {
    if (out->reader_gone()) return Summary{};
    if (!out->pipe()) session.link.pace = kForFiles;
  }
  return run_session(**recorder, std::move(*selection), session);
}

// What decides how packets are captured is given on as it is; files and ends are matters of this process when
// it puts several together, or writes more than one.
std::vector<std::string> words_for(const cxxopts::ParseResult& parsed,
                                   const std::vector<std::string>& targets, bool merged) {
  std::vector<std::string> words{"capture", "--write=-"};
  for (const auto& given : parsed.arguments()) {
    const std::string& name = given.key();
    const auto is = [&](std::initializer_list<const char*> names) {
      return std::any_of(names.begin(), names.end(), [&](const char* n) { return name == n; });
    };
    if (is({"write", "ring-buffer", "last", "last-size", "save-on"})) continue;
    if (merged && is({"count", "duration"})) continue;
    words.push_back("--" + name + "=" + given.value());
  }
  words.insert(words.end(), {"--"});
  words.insert(words.end(), targets.begin(), targets.end());
  return words;
}

// What is to be captured on one machine.
struct Place {
  std::optional<remote::FarHost> host;  // none: here
  std::vector<std::string> targets;     // as podshark there is to be given them
  std::vector<std::string> named;       // as the user named them
};

Result<std::vector<Place>> places(const std::vector<std::string>& targets) {
  std::vector<Place> out;
  for (const std::string& text : targets) {
    Place place{std::nullopt, {text}, {text}};
    if (remote::names_far(text)) {
      Result<remote::FarTarget> t = remote::listed_target(text);
      if (!t) return t.error();
      place.host = std::move(t->host);
      place.targets = {std::move(t->target)};
    }
    const auto same =
        std::find_if(out.begin(), out.end(), [&](const Place& p) { return p.host == place.host; });
    if (same == out.end()) {
      out.push_back(std::move(place));
    } else {
      same->targets.push_back(place.targets.front());
      same->named.push_back(text);
    }
  }
  return out;
}

void tell_totals(const Summary& sum, std::ostream& err) {
  err << sum.packets << " packets, " << sum.bytes << " bytes captured, " << sum.dropped
      << " dropped by the kernel\n";
  if (const std::string warning = loss_warning(sum); !warning.empty())
    err << "podshark capture: warning: " << warning << '\n';
  if (sum.link_errors > 0)
    err << "podshark capture: the links themselves counted " << sum.link_errors
        << " faulty or lost packets\n";
}

void tell_late(const Summary& sum, std::ostream& err) {
  if (sum.late > 0)
    err << "podshark capture: warning: " << sum.late
        << " packets came so late that they stand behind younger ones (reordercap puts a file in order)\n";
}

int conclude(const Summary& summary, const Request& request, std::ostream& err) {
  if (!summary.ended.empty()) err << "podshark capture: " << summary.ended << '\n';
  if (!request.quiet) tell_totals(summary, err);
  tell_late(summary, err);
  return 0;
}

// The context may be a word of its own.
Result<std::vector<std::string>> pod_names(const Request& request) {
  std::vector<std::string> out;
  for (const std::string& text : request.targets) {
    Result<kube::PodName> name = kube::parse_pod_name(text);
    if (!name) return name.error();
    if (name->cluster.context.empty()) name->cluster.context = request.context;
    out.push_back(kube::to_string(*name));
  }
  return out;
}

int capture_kube(const Request& request, std::ostream& err) {
  if (request.rotation.active() || request.last.count() != 0)
    return fail(err, {ErrorKind::unsupported, "-b and --last are not possible with pods of Kubernetes yet",
                      "write to a pipe: -w - | dumpcap -i - \u2026"});
  const Result<std::vector<std::string>> names = pod_names(request);
  if (!names) return fail(err, names.error());
  Result<Output> output = Output::open(request.output);
  if (!output) return fail(err, output.error());
  if (output->reader_gone()) return 0;
  const auto line = [&](const std::string& text) {
    if (!request.quiet) err << "podshark capture: " << text << std::endl;
  };
  const Result<Summary> summary = kube::capture_pods(*names, std::move(*output), request.session, line);
  return summary ? conclude(*summary, request, err) : fail(err, summary.error());
}

int capture_merged(const cxxopts::ParseResult& parsed, const Request& request, const std::vector<Place>& all,
                   std::ostream& err) {
  std::vector<remote::MergeSource> sources;
  const auto here = [](const Place& place) { return !place.host; };
  // Which ports they will have here nobody knows before; what is captured here is not carried, only seen.
  if (request.session.roster.methods.all_host && std::any_of(all.begin(), all.end(), here) &&
      !std::all_of(all.begin(), all.end(), here) && !request.quiet)
    err << "podshark capture: with --all-host the capture's own connections to other machines are in what is "
           "captured here (-f 'not port 22' leaves them out)"
        << std::endl;
  for (const Place& place : all) {
    remote::MergeSource source{{}, {}, words_for(parsed, place.named, /* merged= */ true)};
    if (place.host) source.host = place.host->name;
    if (all.size() > 1) source.far = place.host;
    sources.push_back(std::move(source));
  }
  Result<std::unique_ptr<Recorder>> recorder = make_recorder(request);
  if (!recorder) return fail(err, recorder.error());
  if (const Output* out = (*recorder)->output(); out != nullptr && out->reader_gone()) return 0;
  SessionOptions session = request.session;
  show_in(session, request, err);
  const Result<remote::MergeSummary> done = remote::run_merge(**recorder, std::move(sources), session);
  if (!done) return fail(err, done.error());
  if (!request.quiet && all.size() > 1) {
    err << all.size() << " machines: ";
    tell_totals(done->sum, err);
  }
  tell_late(done->sum, err);
  return done->exit_code;
}

int capture_far(const cxxopts::ParseResult& parsed, const Request& request, std::ostream& err) {
  const Result<std::vector<Place>> all = places(request.targets);
  if (!all) return fail(err, all.error());
  const bool files = request.rotation.active() || request.last.count() != 0;
  if (all->size() > 1 || files) return capture_merged(parsed, request, *all, err);
  const remote::FarHost& host = *all->front().host;
  Result<Output> output = Output::open(request.output);
  if (!output) return fail(err, output.error());
  if (output->reader_gone()) return 0;
  const auto line = [&](const std::string& text) { err << host.name << ": " << text << std::endl; };
  const std::vector<std::string>& targets = all->front().targets;
  const std::vector<std::string> words = words_for(parsed, targets, /* merged= */ false);
  const Result<int> code = host.connection.empty() ? remote::capture_there(host, words, *output, line)
                                                   : Result<int>(remote::kNotThere);
  if (!code) return fail(err, code.error());
  if (*code != remote::kNotThere) return *code;
  const Result<Summary> summary =
      remote::capture_without(host, targets, std::move(*output), request.session, line);
  return summary ? conclude(*summary, request, err) : fail(err, summary.error());
}

}  // namespace

const char* const kCaptureMore =
    R"(TARGET, one or several:
  web                      a container, by name or id; POD/CONTAINER of podman kube play
  pod/NAME                 all containers of a pod
  net/NAME                 the bridge of a network
  all                      all your own running containers
  'web*', label=KEY=VALUE  running containers by a pattern of their names, or by a label
  ssh://[USER@]HOST[:PORT]/TARGET        what TARGET is on that machine, through ssh
  podman://CONNECTION/TARGET             the same through a connection of podman (podman system connection)
  kube://[CONTEXT@]NAMESPACE/POD         a pod of Kubernetes, through kubectl; also POD/CONTAINER,
                                         deployment/NAME, label=KEY=VALUE
)";

cxxopts::Options capture_options() {
  cxxopts::Options options("podshark capture", "Capture in the network namespaces of containers, as pcapng.");
  options.custom_help("TARGET... [options]");
  options.positional_help("");
  options.add_options()("i,link", "Links to capture, separated by commas (default: all)",
                        cxxopts::value<std::string>(), "LINK")("f,filter", "Capture filter, pcap-filter(7)",
                                                               cxxopts::value<std::string>(), "FILTER")(
      "c,count", "Stop after N packets", cxxopts::value<std::string>(), "N")(
      "duration", "Stop after S seconds", cxxopts::value<std::string>(), "S")(
      "s,snaplen", "Bytes kept of each packet (default: all)", cxxopts::value<std::string>(), "BYTES")(
      "promiscuous", "Promiscuous mode: frames for others too (default: true)", cxxopts::value<std::string>(),
      "true|false")("point", "Where: host is the other end of the link (default: inside)",
                    cxxopts::value<std::string>(), "inside|host|both")(
      "follow", "Go on after a restart, take in who joins (default: true)", cxxopts::value<std::string>(),
      "true|false")("wait", "It need not exist or run yet: attach when it is created")(
      "start", "Start a named container that is stopped (default: true)", cxxopts::value<std::string>(),
      "true|false")("drops",
                    "Packets that the kernel drops, with the reason (default: auto, where permitted)",
                    cxxopts::value<std::string>(),
                    "auto|on|off|all")("method", "How packets are obtained (default: auto)",
                                       cxxopts::value<std::string>(), "auto|netns|exec|sidecar")(
      "sidecar-image", "Image with tcpdump for the method sidecar", cxxopts::value<std::string>(), "IMAGE")(
      "install-tool", "Install tcpdump in a container that lacks it")(
      "agent-image", "Kubernetes: image with podshark-agent, for an ephemeral container",
      cxxopts::value<std::string>(),
      "IMAGE")("node-pod", "Kubernetes: image for a privileged pod on the pod's node, when nothing else does",
               cxxopts::value<std::string>(),
               "IMAGE")("node-namespace", "Kubernetes: where --node-pod makes it (default: beside the pod)",
                        cxxopts::value<std::string>(), "NAME")(
      "context", "Kubernetes: context of kubeconfig, for targets without one", cxxopts::value<std::string>(),
      "NAME")("all-host", "Host network: everything, not only the container's ports")(
      "nat", "Record address translations (default: on)", cxxopts::value<std::string>(), "on|off")(
      "ring-size", "Kernel ring per link in MiB (default: 32, less with many links)",
      cxxopts::value<std::string>(), "MIB")("queue-size", "Memory for a slow reader in MiB (default: 256)",
                                            cxxopts::value<std::string>(), "MIB")(
      "b,ring-buffer",
      "Go on in a new file: filesize:KB, duration:S, packets:N; files:N keeps the last N (repeatable)",
      cxxopts::value<std::vector<std::string>>(),
      "RULE")("last", "Keep the last TIME (90s, 5m, 1h) in memory; SIGUSR1 and triggers save it",
              cxxopts::value<std::string>(), "TIME")("last-size", "Memory for --last in MiB (default: 512)",
                                                     cxxopts::value<std::string>(), "MIB")(
      "save-on", "Triggers of --last: some of exit,loss,probe,end, or none (default: all)",
      cxxopts::value<std::string>(),
      "WHAT")("w,write", "File to write, '-' for standard output", cxxopts::value<std::string>(), "FILE")(
      "q,quiet", "No progress, no closing line")("h,help", "This text");
  return options;  // targets are what is left: as a list of cxxopts' they would be cut at commas
}

int cmd_capture(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
  cxxopts::Options options = capture_options();
  std::vector<const char*> argv{"podshark capture"};
  for (const std::string& a : args) argv.push_back(a.c_str());
  try {
    const cxxopts::ParseResult parsed = options.parse(static_cast<int>(argv.size()), argv.data());
    if (parsed.count("help") != 0) {
      out << options.help() << '\n' << kCaptureMore;
      return 0;
    }
    prepare_signals(/* extcap= */ false);
    const Result<Request> request = read_request(parsed);
    if (!request) return fail(err, request.error());
    if (std::any_of(request->targets.begin(), request->targets.end(), remote::names_far))
      return capture_far(parsed, *request, err);
    if (std::any_of(request->targets.begin(), request->targets.end(), kube::is_pod_name))
      return capture_kube(*request, err);
    const Result<Summary> summary = capture(*request, err);
    if (!summary) return fail(err, summary.error());
    return conclude(*summary, *request, err);
  } catch (const cxxopts::exceptions::exception& e) {
    return fail(err, Error{ErrorKind::usage, one_line(e.what(), 200), "see 'podshark capture --help'"});
  }
}

}  // namespace podshark::extcap
