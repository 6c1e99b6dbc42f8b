// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include <cxxopts.hpp>
#include <ostream>

#include "extcap/command.h"
#include "extcap/inventory_source.h"
#include "extcap/kube/kubectl.h"
#include "extcap/kube/pods.h"
#include "extcap/list_table.h"
#include "podman/annotate/codec.h"
#include "podman/core/clock.h"
#include "podman/core/result.h"
#include "podman/core/text.h"
#include "podman/discover/discover.h"

namespace podshark::extcap {
namespace {

struct ListOptions {
  bool json = false;
  bool all = false;
  bool help = false;
  bool kube = false;
  std::string context;
  std::string name_space;
  std::string help_text;
};

// cxxopts throws; it ends here.
Result<ListOptions> parse_options(std::span<const std::string> args) {
  cxxopts::Options options = list_options();
  std::vector<const char*> argv{"podshark list"};
  for (const std::string& arg : args) argv.push_back(arg.c_str());
  try {
    const auto parsed = options.parse(static_cast<int>(argv.size()), argv.data());
    if (!parsed.unmatched().empty()) {
      return Error{ErrorKind::usage, "unexpected argument '" + parsed.unmatched().front() + "'",
                   "see 'podshark list --help'"};
    }
    ListOptions out;
    out.json = parsed.count("json") > 0;
    out.all = parsed.count("all") > 0;
    out.help = parsed.count("help") > 0;
    out.kube = parsed.count("kube") > 0;
    if (parsed.count("context") > 0) out.context = parsed["context"].as<std::string>();
    if (parsed.count("namespace") > 0) out.name_space = parsed["namespace"].as<std::string>();
    if (!out.kube && (!out.context.empty() || !out.name_space.empty()))
      return Error{ErrorKind::usage, "--context and --namespace belong to --kube", "add --kube"};
    out.help_text = options.help();
    return out;
  } catch (const cxxopts::exceptions::exception& e) {
    return Error{ErrorKind::usage, e.what(), "see 'podshark list --help'"};
  }
}

int show(const ListOptions& options, const model::Inventory& inventory, uid_t caller, std::ostream& out,
         std::ostream& err) {
  if (options.json) out << annotate::encode_inventory(inventory) << '\n';
  if (const model::Problem* problem = no_podman(inventory)) {
    err << "podshark list: " << Error{ErrorKind::no_podman, problem->what, problem->hint}.line() << '\n';
    return static_cast<int>(ErrorKind::no_podman);
  }
  if (!options.json) {
    write_table(out, inventory, caller, options.all);
    write_notes(err, inventory);
  }
  return 0;
}

int list_pods(const ListOptions& options, std::ostream& out, std::ostream& err) {
  const kube::Cluster cluster{options.context};
  const Result<kube::Pods> known = kube::list_pods(cluster, options.name_space, {});
  if (!known) {
    err << "podshark list: " << known.error().line() << '\n';
    return static_cast<int>(known.error().kind);
  }
  if (options.json) {
    model::Inventory inventory = kube::inventory_of(known->pods, cluster, options.all);
    inventory.time_ns = now_ns();
    out << annotate::encode_inventory(inventory) << '\n';
  } else {
    kube::write_pods(out, known->pods, cluster, options.all);
  }
  for (const std::string& note : known->notes) err << "note: " << one_line(note, 400) << '\n';
  return 0;
}

// `there`: instead of this machine.
int list(std::span<const std::string> args, const Elsewhere* there, std::ostream& out, std::ostream& err) {
  const Result<ListOptions> options = parse_options(args);
  if (!options) {
    err << "podshark list: " << options.error().line() << '\n';
    return static_cast<int>(options.error().kind);
  }
  if (options->help) {
    out << options->help_text << '\n';
    return 0;
  }
  if (options->kube) return list_pods(*options, out, err);
  if (there != nullptr) return show(*options, there->inventory, there->caller, out, err);
  discover::Options query;
  query.all = options->all;
  return show(*options, discover::discover(query), ::geteuid(), out, err);
}

}  // namespace

cxxopts::Options list_options() {
  cxxopts::Options options("podshark list", "Shows containers, pods, addresses and published ports.");
  options.custom_help("[options]");
  options.add_options()("json", "print JSON for programs (docs/FORMAT.md)")(
      "all", "stopped and infra containers too")("kube", "pods of a Kubernetes cluster, through kubectl")(
      "context", "with --kube: context of kubeconfig (default: the current one)",
      cxxopts::value<std::string>(),
      "NAME")("namespace", "with --kube: namespace, or all (default: the context's)",
              cxxopts::value<std::string>(), "NAME")("h,help", "print this");
  add_host(options);
  return options;
}

int cmd_list(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
  return list(args, nullptr, out, err);
}

int list_elsewhere(std::span<const std::string> args, const Elsewhere& there, std::ostream& out,
                   std::ostream& err) {
  return list(args, &there, out, err);
}

}  // namespace podshark::extcap
