// SPDX-License-Identifier: GPL-2.0-or-later
// podshark annotate IN -o OUT [--inventory FILE | --live] [--container NAME] [--redact]
#include <signal.h>
#include <unistd.h>

#include <cxxopts.hpp>
#include <new>
#include <optional>
#include <ostream>

#include "extcap/annotate/annotate_file.h"
#include "extcap/command.h"
#include "extcap/inventory_source.h"
#include "podman/annotate/codec.h"
#include "podman/annotate/inventory_file.h"
#include "podman/annotate/redact.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

struct Choice {
  std::string input;
  std::string output;
  std::string inventory;
  std::string container;
  bool live = false;
  bool redact = false;
  bool quiet = false;
};

Result<Choice> read_options(const cxxopts::ParseResult& parsed) {
  const auto text = [&](const char* name) {
    return parsed.count(name) > 0 ? parsed[name].as<std::string>() : std::string();
  };
  const auto usage = [](const std::string& what) {
    return Error{ErrorKind::usage, what, "podshark annotate IN -o OUT; '-' is standard input or output"};
  };
  std::vector<std::string> inputs;
  if (parsed.count("input") > 0) inputs = parsed["input"].as<std::vector<std::string>>();
  if (inputs.size() != 1) return usage(inputs.empty() ? "annotate which capture?" : "one capture at a time");
  Choice o{inputs[0],
           text("output"),
           text("inventory"),
           text("container"),
           parsed.count("live") > 0,
           parsed.count("redact") > 0,
           parsed.count("quiet") > 0};
  if (o.output.empty()) return usage("where to? -o is missing");
  if (o.live && !o.inventory.empty()) return usage("--inventory and --live exclude each other");
  if (o.output == "-" && ::isatty(STDOUT_FILENO) != 0)
    return Error{ErrorKind::usage, "pcapng is not for a terminal", "use -o FILE, or a pipe"};
  return o;
}

// --inventory, --live, or the file beside the capture.
Result<model::Inventory> find_inventory(const Choice& o) {
  if (o.live) return live_inventory();
  if (!o.inventory.empty()) return annotate::read_inventory(o.inventory == "-" ? "/dev/stdin" : o.inventory);
  std::string why;
  if (o.input != "-") {
    Result<std::optional<model::Inventory>> beside = annotate::inventory_of(o.input);
    if (!beside) return beside.error();
    if (*beside) return std::move(**beside);
    why = ": there is no '" + one_line(annotate::inventory_beside(o.input), 200) + "'";
  }
  return Error{
      ErrorKind::usage, "no inventory tells who had which address" + why,
      "give --live (what runs now), --inventory FILE (saved by 'podshark inventory -o FILE'), or put "
      "that file beside the capture as NAME.podman.json"};
}

Result<std::optional<Target>> find_container(const std::string& name, const model::Inventory& inventory) {
  if (name.empty()) return std::optional<Target>();
  Result<Targets> found = resolve({name}, inventory, ::geteuid());
  if (!found) return found.error();
  if (found->running.empty() && !found->stopped.empty())
    return Error{ErrorKind::not_running,
                 "container " + in_quotes(name) + " does not run in this inventory, and so has no address",
                 "use an inventory that was saved while it ran"};
  if (found->running.size() != 1 || !found->running[0].network.empty())
    return Error{ErrorKind::usage, "--container " + in_quotes(name) + " is not one container",
                 "name the one that the capture was taken in"};
  Target target = std::move(found->running[0]);
  // Whose user reads the file later is not known: one prefix for all.
  constexpr std::string_view kRoot = "podman-root:";
  if (target.value.compare(0, kRoot.size(), kRoot) == 0) target.value = interface_value(target.container, 0);
  return std::optional(std::move(target));
}

int fail(std::ostream& err, const Error& error) {
  err << "podshark annotate: " << error.line() << '\n';
  return static_cast<int>(error.kind);
}

void tell(std::ostream& err, const Annotated& done, const model::Inventory& inventory) {
  err << done.counts.packets << " packets, " << annotate::inventory_info(inventory, 1, 1);
  if (done.counts.left_out > 0) err << "; " << done.counts.left_out << " other blocks left out";
  err << '\n';
}

int annotate_capture(const Choice& options, std::ostream& err) {
  Result<model::Inventory> inventory = find_inventory(options);
  if (!inventory) return fail(err, inventory.error());
  if (options.redact) annotate::redact(*inventory);
  Result<std::optional<Target>> inside = find_container(options.container, *inventory);
  if (!inside) return fail(err, inside.error());
  const Result<Annotated> done = annotate_file({.input = options.input,
                                                .output = options.output,
                                                .inventory = *inventory,
                                                .inside = inside->has_value() ? &**inside : nullptr,
                                                .redact = options.redact});
  if (!done) return fail(err, done.error());
  if (!options.quiet) tell(err, *done, *inventory);
  if (!done->ended) return 0;
  Error ended = *done->ended;
  ended.hint = "what was read before is in the output" + (ended.hint.empty() ? "" : "; " + ended.hint);
  return fail(err, ended);
}

}  // namespace

cxxopts::Options annotate_options() {
  cxxopts::Options table("podshark annotate", "Adds container names to a capture that another program took.");
  table.custom_help("IN -o OUT [options]");
  table.positional_help("");
  table.add_options()("o,output", "pcapng file to write, '-' for standard output",
                      cxxopts::value<std::string>(), "OUT")(
      "inventory",
      "what 'podshark inventory' saved (default: IN.podman.json beside IN, without IN's extension)",
      cxxopts::value<std::string>(),
      "FILE")("live", "what runs now")("container", "IN was captured inside this container (or pod/NAME)",
                                       cxxopts::value<std::string>(), "CONTAINER")(
      "redact", "leave out host name, labels and paths (docs/FORMAT.md)")("q,quiet", "no closing line")(
      "h,help", "print this")("input", "", cxxopts::value<std::vector<std::string>>());
  table.parse_positional({"input"});
  return table;
}

int cmd_annotate(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
  cxxopts::Options table = annotate_options();
  std::vector<const char*> argv{"podshark annotate"};
  for (const std::string& arg : args) argv.push_back(arg.c_str());
  std::optional<Result<Choice>> options;
  try {
    const cxxopts::ParseResult parsed = table.parse(static_cast<int>(argv.size()), argv.data());
    if (parsed.count("help") > 0) {
      out << table.help() << '\n';
      return 0;
    }
    options = read_options(parsed);
  } catch (const cxxopts::exceptions::exception& e) {
    return fail(err, {ErrorKind::usage, e.what(), "see 'podshark annotate --help'"});
  }
  if (!*options) return fail(err, options->error());
  (void)::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is an end like any other
  return annotate_capture(**options, err);
}

}  // namespace podshark::extcap
