{
  description = "Terminal network monitor: which app is talking to whom, live";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "aarch64-darwin"
        "aarch64-linux"
        "x86_64-darwin"
        "x86_64-linux"
      ];

      # npm's lock file has addresses and checksums. What only tests need is not fetched.
      package = removeAttrs (lib.importJSON ./package.json) [ "workspaces" ];
      lock = lib.importJSON ./package-lock.json;
      builds =
        path: entry: lib.hasPrefix "node_modules/" path && (!(entry.dev or false) || lib.hasInfix "esbuild" path) && !(entry.link or false);
      packageLock = lock // {
        packages = lib.filterAttrs builds lock.packages // {
          "" = removeAttrs lock.packages."" [ "workspaces" ];
        };
      };
    in
    {
      packages = lib.genAttrs systems (
        system:
        let
          pkgs = nixpkgs.legacyPackages.${system};
        in
        {
          default = pkgs.buildNpmPackage {
            pname = package.name;
            inherit (package) version;
            src = self;
            npmDeps = pkgs.importNpmLock { inherit package packageLock; };
            inherit (pkgs.importNpmLock) npmConfigHook;
            npmFlags = [ "--ignore-scripts" ];
            nativeBuildInputs = [
              pkgs.installShellFiles
              pkgs.makeWrapper
            ];

            buildPhase = ''
              runHook preBuild
              node scripts/npm-package.mjs --here
              runHook postBuild
            '';

            # libpcap is loaded by name. On a Mac only the system's own has PKTAP.
            installPhase = ''
              runHook preInstall
              mkdir -p $out/lib
              cp -r build/package $out/lib/netmon-tui
              makeWrapper ${lib.getExe pkgs.nodejs} $out/bin/netmon-tui \
                --add-flags $out/lib/netmon-tui/bin/netmon-tui.js \
                ${lib.optionalString pkgs.stdenv.hostPlatform.isLinux "--prefix LD_LIBRARY_PATH : ${lib.makeLibraryPath [ pkgs.libpcap ]}"}
              installManPage man/netmon-tui.1
              for shell in bash fish zsh; do
                $out/bin/netmon-tui completions $shell >netmon-tui.$shell
                installShellCompletion --cmd netmon-tui --$shell netmon-tui.$shell
              done
              runHook postInstall
            '';

            meta = {
              description = package.description;
              homepage = "https://github.com/netmon-tui/netmon-tui";
              license = lib.licenses.mit;
              mainProgram = "netmon-tui";
              platforms = systems;
            };
          };
        }
      );
    };
}
