// SPDX-License-Identifier: GPL-2.0-or-later
// podshark inventory [--redact] [-o FILE]: saves what runs now, for annotating captures later or elsewhere.
#include <cxxopts.hpp>
#include <ostream>

#include "extcap/command.h"
#include "extcap/inventory_source.h"
#include "extcap/private_file.h"
#include "podman/annotate/codec.h"
#include "podman/annotate/redact.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

struct InventoryOptions {
  bool redact = false;
  std::string output = "-";
};

Status run(const InventoryOptions& options, const Elsewhere* there, std::ostream& out) {
  Result<model::Inventory> inventory =
      there == nullptr ? live_inventory() : Result<model::Inventory>(there->inventory);
  if (!inventory) return inventory.error();
  if (options.redact) annotate::redact(*inventory);
  const std::string text = annotate::encode_inventory(*inventory) + "\n";
  // Labels may hold secrets: for the owner only, as captures are.
  if (options.output != "-") return replace_file(options.output, text);
  out << text << std::flush;
  if (out) return ok();
  return Error{ErrorKind::output, "standard output could not be written", {}};
}

int fail(std::ostream& err, const Error& error) {
  err << "podshark inventory: " << error.line() << '\n';
  return static_cast<int>(error.kind);
}

int save_inventory(std::span<const std::string> args, const Elsewhere* there, std::ostream& out,
                   std::ostream& err) {
  cxxopts::Options table = inventory_options();
  std::vector<const char*> argv{"podshark inventory"};
  for (const std::string& arg : args) argv.push_back(arg.c_str());
  InventoryOptions options;
  try {
    const auto parsed = table.parse(static_cast<int>(argv.size()), argv.data());
    if (!parsed.unmatched().empty()) {
      return fail(err, {ErrorKind::usage, "unexpected argument " + in_quotes(parsed.unmatched().front()),
                        "see 'podshark inventory --help'"});
    }
    if (parsed.count("help") > 0) {
      out << table.help() << '\n';
      return 0;
    }
    options.redact = parsed.count("redact") > 0;
    if (parsed.count("output") > 0) options.output = parsed["output"].as<std::string>();
  } catch (const cxxopts::exceptions::exception& e) {
    return fail(err, {ErrorKind::usage, e.what(), "see 'podshark inventory --help'"});
  }
  const Status status = run(options, there, out);
  return status ? 0 : fail(err, status.error());
}

}  // namespace

cxxopts::Options inventory_options() {
  cxxopts::Options table("podshark inventory", "Saves what runs now, to annotate captures with.");
  table.custom_help("[options]");
  table.add_options()("redact", "leave out host name, labels and paths (docs/FORMAT.md)")(
      "o,output", "file to write (default: standard output)", cxxopts::value<std::string>(), "FILE")(
      "h,help", "print this");
  add_host(table);
  return table;
}

int cmd_inventory(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
  return save_inventory(args, nullptr, out, err);
}

int inventory_elsewhere(std::span<const std::string> args, const Elsewhere& there, std::ostream& out,
                        std::ostream& err) {
  return save_inventory(args, &there, out, err);
}

}  // namespace podshark::extcap
