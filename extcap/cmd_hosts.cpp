// SPDX-License-Identifier: GPL-2.0-or-later
// podshark hosts [list] [--json] | add HOST [--key FILE] [--jump HOSTS] | remove HOST | refresh [HOST...]
#include <cxxopts.hpp>
#include <filesystem>
#include <mutex>
#include <ostream>

#include "extcap/command.h"
#include "extcap/json_object.h"
#include "extcap/remote/host_book.h"
#include "extcap/remote/host_listing.h"
#include "extcap/remote/hosts.h"
#include "extcap/top/text_table.h"
#include "podman/core/in_parallel.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

using remote::ListedHost;
using remote::ListedHosts;

constexpr std::size_t kAtOnce = 4;

struct Request {
  std::string verb = "list";
  std::vector<std::string> names;
  std::string key, jump;
  bool json = false;
};

int fail(std::ostream& err, const Error& error) {
  err << "podshark hosts: " << error.line() << '\n';
  return static_cast<int>(error.kind);
}

void note(std::ostream& err, const std::string& what) {
  err << "note: " << one_line(what, 500) << '\n';
}

Result<Request> read_request(const cxxopts::ParseResult& parsed) {
  Request r;
  if (parsed.count("word") != 0) r.names = parsed["word"].as<std::vector<std::string>>();
  if (!r.names.empty()) {
    r.verb = r.names.front();
    r.names.erase(r.names.begin());
  }
  const char* see = "see 'podshark hosts --help'";
  const bool add = r.verb == "add";
  const bool one = add || r.verb == "remove";
  if (!one && r.verb != "list" && r.verb != "refresh")
    return Error{ErrorKind::usage, in_quotes(r.verb) + " is not list, add, remove or refresh", see};
  if (one && r.names.size() != 1) return Error{ErrorKind::usage, r.verb + " takes one host", see};
  if (r.verb == "list" && !r.names.empty())
    return Error{ErrorKind::usage, "unexpected argument " + in_quotes(r.names.front()), see};
  if (!add && parsed.count("key") + parsed.count("jump") != 0)
    return Error{ErrorKind::usage, "--key and --jump belong to 'podshark hosts add'", see};
  if (r.verb != "list" && parsed.count("json") != 0)
    return Error{ErrorKind::usage, "--json belongs to 'podshark hosts list'", see};
  if (parsed.count("key") != 0) r.key = parsed["key"].as<std::string>();
  if (parsed.count("jump") != 0) r.jump = parsed["jump"].as<std::string>();
  r.json = parsed.count("json") != 0;
  return r;
}

std::string seen_text(const remote::HostListing& listing) {
  const std::string age = remote::age_text(listing.age);
  return age.empty() ? "just now" : age;
}

void write_json(const ListedHosts& listed, std::ostream& out) {
  std::string text = "[";
  for (const ListedHost& h : listed.hosts) {
    if (text.size() > 1) text += ',';
    JsonObject object(text);
    object.text("host", h.host.name).text("destination", h.host.destination).text("from", h.from);
    object.flag("saved", h.saved).texts("ssh_options", h.host.options);
    if (!h.connection.empty()) object.text("connection", h.connection);
    if (const auto listing = remote::read_listing(h.host)) {
      object.number("containers", listing->containers.size());
      if (listing->age != std::chrono::milliseconds::max())
        object.number("age_seconds", static_cast<std::uint64_t>(listing->age.count() / 1000));
    }
  }
  out << text << "]\n";
}

void write_text(const ListedHosts& listed, std::ostream& out) {
  if (listed.hosts.empty()) {
    out << "No hosts ('podshark hosts add [USER@]HOST' saves one).\n";
    return;
  }
  top::TextTable table;
  table.columns = {{"HOST", true}, {"FROM", true}, {"CONTAINERS"}, {"ASKED", true}};
  for (const ListedHost& h : listed.hosts) {
    const auto listing = remote::read_listing(h.host);
    const bool both = h.saved && !h.connection.empty();
    table.rows.push_back({one_line(h.host.name, 120),
                          both ? h.from + ", podman connection " + h.connection : h.from,
                          listing ? std::to_string(listing->containers.size()) : "-",
                          listing ? seen_text(*listing) : "never"});
  }
  for (const std::string& line : table.lines(0)) out << line << '\n';
}

int list(const Request& request, std::ostream& out, std::ostream& err) {
  if (const Status s = remote::refresh_connections(); !s) note(err, s.error().line());
  const ListedHosts listed = remote::load_hosts();
  request.json ? write_json(listed, out) : write_text(listed, out);
  for (const std::string& text : listed.notes) note(err, text);
  return 0;
}

int add(const Request& request, std::ostream& out, std::ostream& err) {
  Result<remote::HostBook> book = remote::read_book();
  if (!book) return fail(err, book.error());
  // Wireshark starts us in another directory.
  std::error_code ignored;
  const std::string here = std::filesystem::current_path(ignored).string();
  const Result<remote::FarHost> host = book->add({.host = request.names.front(),
                                                  .port = {},
                                                  .user = {},
                                                  .key = remote::lasting_key(request.key, here),
                                                  .jump = request.jump});
  if (!host) return fail(err, host.error());
  if (const Status s = remote::write_book(*book); !s) return fail(err, s.error());
  out << "saved in " << one_line(remote::book_path(), 300) << "; 'podshark hosts refresh " << host->name
      << "' asks it for its containers\n";
  return 0;
}

int remove(const Request& request, std::ostream& err) {
  Result<remote::HostBook> book = remote::read_book();
  if (!book) return fail(err, book.error());
  const Result<remote::FarHost> host = book->remove(request.names.front());
  if (!host) return fail(err, host.error());
  if (const Status s = remote::write_book(*book); !s) return fail(err, s.error());
  remote::forget_listing(*host);
  return 0;
}

Result<std::vector<remote::FarHost>> wanted(const std::vector<std::string>& names,
                                            const ListedHosts& listed) {
  std::vector<remote::FarHost> out;
  for (const ListedHost& h : listed.hosts) {
    if (names.empty()) out.push_back(h.host);
  }
  for (const std::string& name : names) {
    const Result<remote::FarHost> host = remote::parse_host(name);
    if (!host) return host.error();
    const ListedHost* found = remote::find_host(listed.hosts, *host);
    if (found == nullptr)
      return Error{ErrorKind::not_found, in_quotes(name) + " is no saved host and no podman connection",
                   "'podshark hosts' shows them"};
    out.push_back(found->host);
  }
  return out;
}

int refresh(const Request& request, std::ostream& out, std::ostream& err) {
  if (const Status s = remote::refresh_connections(); !s) note(err, s.error().line());
  const ListedHosts listed = remote::load_hosts();
  const Result<std::vector<remote::FarHost>> hosts = wanted(request.names, listed);
  if (!hosts) return fail(err, hosts.error());
  if (hosts->empty())
    return fail(err, {ErrorKind::not_found, "there are no hosts", "'podshark hosts add HOST' saves one"});
  std::mutex mutex;
  int code = 0;
  in_parallel(hosts->size(), kAtOnce, [&](std::size_t i) {
    const remote::FarHost& host = (*hosts)[i];
    const Result<model::Inventory> inventory = remote::list_there(host, remote::kListLimit);
    const std::lock_guard<std::mutex> lock(mutex);
    if (!inventory) {
      const int failed = fail(err, inventory.error());
      if (code == 0) code = failed;
      return;
    }
    const std::size_t count = remote::far_containers(*inventory).size();
    out << host.name << ": " << count << " container" << (count == 1 ? "" : "s") << std::endl;
  });
  return code;
}

}  // namespace

cxxopts::Options hosts_options() {
  cxxopts::Options options("podshark hosts", "Remote hosts whose containers Wireshark lists.");
  options.custom_help("[list | add HOST | remove HOST | refresh [HOST...]]");
  options.positional_help("");
  options.add_options()("key", "add: file of ssh's key", cxxopts::value<std::string>(), "FILE")(
      "jump", "add: hosts to go through, as for ssh -J", cxxopts::value<std::string>(), "HOSTS")(
      "json", "list: JSON for programs (docs/FORMAT.md)")("h,help", "This text")(
      "word", "", cxxopts::value<std::vector<std::string>>());
  options.parse_positional({"word"});
  return options;
}

int cmd_hosts(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
  cxxopts::Options table = hosts_options();
  std::vector<const char*> argv{"podshark hosts"};
  for (const std::string& a : args) argv.push_back(a.c_str());
  try {
    const cxxopts::ParseResult parsed = table.parse(static_cast<int>(argv.size()), argv.data());
    if (parsed.count("help") != 0) {
      out << table.help();
      return 0;
    }
    const Result<Request> request = read_request(parsed);
    if (!request) return fail(err, request.error());
    if (request->verb == "add") return add(*request, out, err);
    if (request->verb == "remove") return remove(*request, err);
    return request->verb == "refresh" ? refresh(*request, out, err) : list(*request, out, err);
  } catch (const cxxopts::exceptions::exception& e) {
    return fail(err, Error{ErrorKind::usage, one_line(e.what(), 200), "see 'podshark hosts --help'"});
  }
}

}  // namespace podshark::extcap
