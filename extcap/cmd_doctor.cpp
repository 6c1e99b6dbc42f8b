// SPDX-License-Identifier: GPL-2.0-or-later
// podshark doctor [--json]: looks at everything a capture depends on and prints one line each, with the
// command that mends it. Exit code 0 when nothing failed, 5 otherwise, 2 for wrong options.
#include <chrono>
#include <cxxopts.hpp>
#include <optional>
#include <ostream>

#include "extcap/capture/drop_helper.h"
#include "extcap/capture/event_loop.h"
#include "extcap/command.h"
#include "extcap/doctor/checks.h"
#include "extcap/doctor/report.h"
#include "extcap/worker_client.h"
#include "podman/core/result.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

// Loads the BPF program as a capture would, and lets it go. What kept it from that, if anything did.
std::optional<Error> try_drops() {
  Result<EventLoop> loop = EventLoop::create();
  if (!loop) return loop.error();
  bool ready = false;
  std::optional<Error> refused;
  DropHelper helper(*loop, {[&ready] { ready = true; }, [&refused](const Error& e) { refused = e; },
                            [](std::uint32_t, const Error&) {}});
  if (Status started = helper.start(256, false); !started) return started.error();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!ready && !refused) {
    if (std::chrono::steady_clock::now() > deadline) {
      return Error{ErrorKind::internal,
                   "dropped packets are not shown: podshark-drops was not ready within 5 s",
                   "run 'podshark doctor' again when the machine is less busy"};
    }
    loop->wait(100);
  }
  return refused;
}

int fail(std::ostream& err, const std::string& what) {
  const Error error{ErrorKind::usage, what, "see 'podshark doctor --help'"};
  err << "podshark doctor: " << error.line() << '\n';
  return static_cast<int>(error.kind);
}

}  // namespace

cxxopts::Options doctor_options() {
  cxxopts::Options options(
      "podshark doctor", "Checks what a capture depends on. Exit code 0: nothing failed, 5: something did.");
  options.custom_help("[options]");
  options.add_options()("json", "One JSON list, for programs")("h,help", "This text");
  add_host(options);
  return options;
}

int cmd_doctor(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
  cxxopts::Options table = doctor_options();
  std::vector<const char*> argv{"podshark doctor"};
  for (const std::string& a : args) argv.push_back(a.c_str());
  bool json = false;
  try {
    const cxxopts::ParseResult parsed = table.parse(static_cast<int>(argv.size()), argv.data());
    if (parsed.count("help") != 0) {
      out << table.help();
      return 0;
    }
    if (!parsed.unmatched().empty())
      return fail(err, "unexpected argument " + in_quotes(parsed.unmatched().front()));
    json = parsed.count("json") != 0;
  } catch (const cxxopts::exceptions::exception& e) {
    return fail(err, one_line(e.what(), 200));
  }
  doctor::Scene scene = doctor::collect(find_worker(), find_libexec("podshark-drops"));
  if (scene.drops.executable && scene.kernel.types) scene.drops_refused = try_drops();
  const doctor::Findings findings = doctor::examine(scene);
  json ? doctor::write_json(findings, out) : doctor::write_text(findings, out);
  return doctor::any_failure(findings) ? static_cast<int>(ErrorKind::permission) : 0;
}

}  // namespace podshark::extcap
