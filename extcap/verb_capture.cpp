// SPDX-License-Identifier: GPL-2.0-or-later
// --capture. Order matters (Wireshark 4.0 to 4.6): the toolbar's pipes are opened before anything else, or
// the window freezes; then the fifo before anything that can fail, or tshark 4.0 waits for ever; then section
// header and events interface, or the capture stays "starting"; then podman.
#include <unistd.h>

#include <ostream>

#include "extcap/capture/recorder.h"
#include "extcap/capture/session.h"
#include "extcap/control/control.h"
#include "extcap/extcap.h"
#include "extcap/naming.h"
#include "extcap/options.h"
#include "extcap/remote/far_run.h"
#include "extcap/remote/far_script.h"
#include "extcap/remote/far_session.h"
#include "extcap/remote/hosts.h"
#include "extcap/selection.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

Result<std::vector<std::string>> wanted_names(const ExtcapArguments& args) {
  const std::string interface = args.get("extcap-interface");
  if (remote::is_far_interface(interface)) {
    const Result<remote::FarTarget> far = remote::far_interface(interface);
    if (!far) return far.error();
    if (!far->target.empty()) return std::vector<std::string>{far->target};
  } else if (interface != kChooseValue) {
    return std::vector<std::string>{interface};
  }
  const std::string chosen = args.get("container");
  if (!chosen.empty() && chosen != "none") return std::vector<std::string>{chosen};
  std::vector<std::string> names;
  for (const std::string& name : split(args.get("name"), ',')) {
    if (!trim(name).empty()) names.emplace_back(trim(name));
  }
  if (!names.empty()) return names;
  return Error{ErrorKind::usage, interface + ": no container chosen",
               "open its options (the gear) and select a container or type a name"};
}

Result<SessionOptions> session_options(const ExtcapArguments& args) {
  SessionOptions options;
  options.extcap = true;
  options.link.filter = args.get("extcap-capture-filter");
  const OptionSource source = [&](const std::string& name) -> std::optional<std::string> {
    if (!args.has(name)) return std::nullopt;
    return args.get(name);
  };
  if (const Status s = read_link_options(source, options); !s) return s.error();
  return options;
}

Result<Summary> capture(const ExtcapArguments& args, Recorder& recorder, Control& control) {
  Result<SessionOptions> options = session_options(args);
  if (!options) return options.error();
  options->control = &control;
  const Result<std::vector<std::string>> names = wanted_names(args);
  if (!names) return names.error();
  // The interface list shows what runs; what has stopped since is started for nobody who did not ask for it.
  const bool may_start = options->start && args.get("extcap-interface") == kChooseValue;
  Result<Selection> selection = select(*names, {.wait = options->roster.wait, .start = may_start});
  if (!selection) return selection.error();
  return run_session(recorder, std::move(*selection), *options);
}

// Options of the dialog as words of the command line, which has the same.
std::vector<std::string> far_words(const ExtcapArguments& args, const std::vector<std::string>& names) {
  // A clean stop is silent: Wireshark makes a window of whatever is said.
  std::vector<std::string> words{"capture", "--write=-", "--quiet"};
  const auto add = [&](const std::string& option, const std::string& value) {
    if (!value.empty()) words.push_back("--" + option + "=" + value);
  };
  add("filter", args.get("extcap-capture-filter"));
  const std::string links = args.get("links");
  add("link", links.empty() ? args.get("link") : links);
  for (const char* name : {"snaplen", "promiscuous", "follow", "start", "drops", "point", "nat", "method",
                           "sidecar-image", "ring-size", "queue-size"})
    add(name, args.get(name));
  // What has stopped since it was listed is started for nobody who did not ask for it.
  if (!is_choice(args.get("extcap-interface"))) words.emplace_back("--start=false");
  for (const char* flag : {"wait", "install-tool", "all-host"}) {
    if (args.get(flag) == "true") words.push_back("--" + std::string(flag));
  }
  words.emplace_back("--");
  words.insert(words.end(), names.begin(), names.end());
  return words;
}

Result<int> capture_far(const remote::FarHost& host, const ExtcapArguments& args, Output output,
                        std::ostream& err) {
  const Result<std::vector<std::string>> names = wanted_names(args);
  if (!names) return names.error();
  // Of what is said there only the last line tells an end; Wireshark shows no more than a kilobyte, once.
  std::string last;
  const auto line = [&](const std::string& text) { last = text; };
  const Result<int> code = remote::capture_there(host, far_words(args, *names), output, line);
  if (!code || *code != remote::kNotThere) {
    if (code && !last.empty()) err << host.name << ": " << last << std::endl;
    return code;
  }
  const Result<SessionOptions> options = session_options(args);
  if (!options) return options.error();
  // What it says on the way is in its records.
  const Result<Summary> summary =
      remote::capture_without(host, *names, std::move(output), *options, [](const std::string&) {});
  if (!summary && remote::told_to_stop()) return 0;
  if (!summary) return summary.error();
  if (!summary->ended.empty()) err << host.name << ": " << summary->ended << std::endl;
  return 0;
}

int fail(std::ostream& err, const Error& error) {
  err << error.line() << '\n';
  return static_cast<int>(error.kind);
}

}  // namespace

bool is_choice(const std::string& interface) {
  return interface == kChooseValue || remote::is_far_choice(interface);
}

Result<std::optional<remote::FarHost>> far_host(const ExtcapArguments& args) {
  const std::string interface = args.get("extcap-interface");
  if (remote::is_far_interface(interface)) {
    Result<remote::FarTarget> far = remote::far_interface(interface);
    if (!far) return far.error();
    return std::optional<remote::FarHost>(std::move(far->host));
  }
  if (interface != kChooseValue || trim(args.get("remote-host")).empty())
    return std::optional<remote::FarHost>();
  Result<remote::FarHost> host =
      remote::host_of({args.get("remote-host"), args.get("remote-port"), args.get("remote-username"),
                       args.get("sshkey"), args.get("jump-host")});
  if (!host) return host.error();
  return std::optional<remote::FarHost>(remote::as_listed(std::move(*host)));
}

int verb_capture(const ExtcapArguments& args, std::ostream& err) {
  prepare_signals(/* extcap= */ true);
  const std::string fifo = args.get("fifo");
  Result<Control> control =
      Control::open(args.get("extcap-control-in"), args.get("extcap-control-out"), fifo);
  if (fifo.empty()) return fail(err, Error{ErrorKind::usage, "--capture needs --fifo", {}});
  Result<Output> output = Output::open_wiresharks(fifo);
  if (!output) return fail(err, output.error());
  if (output->reader_gone()) return 0;  // told to stop before Wireshark wanted the first byte
  if (!control) return fail(err, control.error());
  const Result<std::optional<remote::FarHost>> far = far_host(args);
  if (!far) return fail(err, far.error());
  if (*far) {
    const Result<int> code = capture_far(**far, args, std::move(*output), err);
    return code ? *code : fail(err, code.error());
  }
  Recorder recorder(std::move(*output));
  if (const Status s = recorder.flush(); !s) return fail(err, s.error());
  const Result<Summary> summary = capture(args, recorder, *control);
  if (!summary) return fail(err, summary.error());
  if (!summary->ended.empty()) err << summary->ended << '\n';
  return 0;
}

}  // namespace podshark::extcap
