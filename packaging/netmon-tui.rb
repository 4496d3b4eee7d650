# Made from packaging/netmon-tui.rb by `npm run package`.
class NetmonTui < Formula
  desc "{{summary}}"
  homepage "{{homepage}}"
  url "https://registry.npmjs.org/netmon-tui/-/netmon-tui-{{version}}.tgz"
  sha256 "{{sha256}}"
  license "{{licence}}"

  depends_on "node"
  uses_from_macos "libpcap"

  def install
    system "npm", "install", *std_npm_args
    bin.install_symlink libexec.glob("bin/*")
    man1.install_symlink libexec/"lib/node_modules/netmon-tui/man/netmon-tui.1"
    generate_completions_from_executable(bin/"netmon-tui", "completions")
  end

  service do
    run [opt_bin/"netmon-tui", "record", "--history=/Library/Application Support/netmon-tui/history.sqlite"]
    environment_variables PATH: std_service_path_env
    keep_alive crashed: true
    log_path var/"log/netmon-tui.log"
    error_log_path var/"log/netmon-tui.log"
    process_type :standard
    require_root true
  end

  def caveats
    <<~EOS
      Capturing needs root:
        sudo netmon-tui
    EOS
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/netmon-tui --version")
  end
end
