// SPDX-License-Identifier: GPL-2.0-or-later
// podshark check [--from A] [TARGET[:PORT][/PROTOCOL]]: what stands in the way, with evidence and fix.
#include <signal.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cxxopts.hpp>
#include <ostream>

#include "extcap/announce/announce.h"
#include "extcap/check/collect.h"
#include "extcap/check/question.h"
#include "extcap/check/records.h"
#include "extcap/check/render.h"
#include "extcap/check/rule_watch.h"
#include "extcap/command.h"
#include "extcap/inventory_source.h"
#include "extcap/probe/render.h"
#include "extcap/probe/runner.h"
#include "extcap/probe/stop.h"
#include "podman/core/clock.h"
#include "podman/core/text.h"
#include "podman/diagnose/certainty.h"

namespace podshark::extcap {
namespace {

struct CheckOptions {
  std::string from, target, explain;
  bool json = false, notes = false, watch = false, losses = false;
};

int fail(std::ostream& err, const Error& error) {
  err << "podshark check: " << error.line() << '\n';
  return static_cast<int>(error.kind);
}

int explain(const std::string& id, std::ostream& out, std::ostream& err) {
  const auto checks = diagnose::all_checks();
  if (id == "all") {
    for (const diagnose::Check& c : checks)
      out << c.id << std::string(34 - std::min<std::size_t>(33, std::string(c.id).size()), ' ') << c.title
          << '\n';
    return 0;
  }
  const auto it =
      std::find_if(checks.begin(), checks.end(), [&](const diagnose::Check& c) { return c.id == id; });
  if (it == checks.end())
    return fail(err, {ErrorKind::usage, "there is no check " + in_quotes(id),
                      "'podshark check --explain all' lists them"});
  check::write_explanation(*it, out);
  return 0;
}

// `there`: instead of this machine.
int run(const CheckOptions& options, const Elsewhere* there, std::ostream& out, std::ostream& err) {
  Result<model::Inventory> inventory =
      there == nullptr ? live_inventory() : Result<model::Inventory>(there->inventory);
  if (!inventory) return fail(err, inventory.error());
  Result<diagnose::Question> question = check::read_question(options.from, options.target, *inventory);
  if (!question) return fail(err, question.error());
  diagnose::Facts facts;
  facts.inventory = std::move(inventory).value();
  facts.question = std::move(question).value();
  if (there == nullptr) {
    check::collect(facts, {});
  } else {
    check::collect_elsewhere(facts, there->caller, there->host);
  }
  for (const model::Problem& p : facts.inventory.problems) facts.unseen.push_back({p.source, p.what, p.hint});
  for (diagnose::Unseen& u : diagnose::not_judged(facts)) facts.unseen.push_back(std::move(u));
  const diagnose::Findings findings = diagnose::judge(facts);
  options.json ? check::write_json(facts, findings, out)
               : check::write_text(facts, findings, options.notes, out);
  const std::string asked = options.target + (options.from.empty() ? "" : " from " + options.from);
  for (const annotate::Event& e : check::records(asked, findings, probing::random_id(), now_ns()))
    if (there == nullptr) announce(e);
  return diagnose::anything_wrong(findings) ? static_cast<int>(ErrorKind::found) : 0;
}

int watch(const CheckOptions& options, std::ostream& out, std::ostream& err) {
  const Result<UniqueFd> stop = probing::stop_signals();
  if (!stop) return fail(err, stop.error());
  if (options.json) (void)::prctl(PR_SET_PDEATHSIG, SIGTERM);  // a capture started it, and may be killed
  const auto tell = [&](const annotate::Event& e) {
    out << (options.json ? annotate::encode_event(e) : probing::clock_text(e.time_ns) + "  " + e.detail)
        << std::endl;
    return out.good();
  };
  const Status ended = check::watch_rules(tell, options.losses, stop->get());
  return ended ? 0 : fail(err, ended.error());
}

int look(std::span<const std::string> args, const Elsewhere* there, std::ostream& out, std::ostream& err) {
  cxxopts::Options table = check_options();
  std::vector<const char*> argv{"podshark check"};
  for (const std::string& arg : args) argv.push_back(arg.c_str());
  CheckOptions options;
  try {
    const auto parsed = table.parse(static_cast<int>(argv.size()), argv.data());
    if (parsed.count("help") > 0) {
      out << table.help({""}) << '\n' << kCheckMore;
      return 0;
    }
    const auto targets = parsed.count("target") > 0 ? parsed["target"].as<std::vector<std::string>>()
                                                    : std::vector<std::string>();
    if (targets.size() > 1)
      return fail(err, {ErrorKind::usage, "one target at a time, not " + std::to_string(targets.size()),
                        "see 'podshark check --help'"});
    if (!targets.empty()) options.target = targets.front();
    if (parsed.count("from") > 0) options.from = parsed["from"].as<std::string>();
    if (parsed.count("explain") > 0) options.explain = parsed["explain"].as<std::string>();
    options.json = parsed.count("json") > 0;
    options.notes = parsed.count("notes") > 0;
    options.watch = parsed.count("watch") > 0;
    options.losses = parsed.count("losses") > 0;
    if (options.losses && !options.watch) return fail(err, {ErrorKind::usage, "--losses is for --watch", {}});
    if (options.watch && !(options.target + options.from + options.explain).empty())
      return fail(err, {ErrorKind::usage, "--watch takes no TARGET, --from or --explain", {}});
  } catch (const cxxopts::exceptions::exception& e) {
    return fail(err, {ErrorKind::usage, e.what(), "see 'podshark check --help'"});
  }
  if (options.watch && there != nullptr)
    return fail(err, {ErrorKind::unsupported,
                      "--watch needs podshark on " + there->host + ", where it is not installed",
                      "install it there"});
  if (options.watch) return watch(options, out, err);
  return options.explain.empty() ? run(options, there, out, err) : explain(options.explain, out, err);
}

}  // namespace

const char* const kCheckMore =
    R"(TARGET is a container, pod/NAME, an address, or host:PORT for a published port.
Exit code: 0 nothing is wrong, 13 something is.
)";

cxxopts::Options check_options() {
  cxxopts::Options table(
      "podshark check",
      "Says what is wrong with containers' networks, why, and how to mend it. Changes nothing.");
  table.custom_help("[TARGET[:PORT][/PROTOCOL]] [options]");
  table.positional_help("");
  table.add_options()("from", "who cannot reach TARGET: host, a container, pod/NAME",
                      cxxopts::value<std::string>(), "WHO")("json", "for programs (docs/FORMAT.md)")(
      "notes", "also explain findings that are by design")(
      "watch", "report firewall changes that affect containers, until stopped")(
      "losses", "with --watch: also what rules with counters drop")(
      "explain", "what a check looks for; 'all' lists the checks", cxxopts::value<std::string>(), "ID")(
      "target", "", cxxopts::value<std::vector<std::string>>())("h,help", "print this");
  table.parse_positional({"target"});
  add_host(table);
  return table;
}

int cmd_check(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
  return look(args, nullptr, out, err);
}

int check_elsewhere(std::span<const std::string> args, const Elsewhere& there, std::ostream& out,
                    std::ostream& err) {
  return look(args, &there, out, err);
}

}  // namespace podshark::extcap
