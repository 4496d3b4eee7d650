// Apps, applications and protocols by category, maintained by hand. They count if no domain rule matches.

/** Apps by displayed name or executable file name, in any case, separated by commas. Those under `[Web]` are browsers and count last. */
export const APP_RULES = `
[Streaming]
Spotify, Music, Apple Music, TV, Podcasts, Books, iTunes, VLC, VLC media player, mpv, IINA, Plex, Plex Media Server
plexmediaserver, PlexMediaPlayer, Jellyfin, jellyfinmediaplayer, Emby, EmbyServer, Kodi, kodi.bin, Netflix, TIDAL, Deezer
Rhythmbox, Audacious, Clementine, Strawberry, Amarok, mpd, spotifyd, librespot, ncspot, AmazonMusic, Amazon Music, Prime Video
Audible, Overcast, Pocket Casts, Infuse, Stremio, FreeTube, yt-dlp, youtube-dl, QQMusic, NeteaseMusic, iQIYI, Youku
AMPDeviceDiscoveryAgent, AMPLibraryAgent, obs, OBS Studio, AirPlayXPCHelper, AirPlayUIAgent, minidlnad
[Social]
Twitter, Tweetbot, Ivory, Mastodon, Tusker, Facebook, Instagram, Reddit, Apollo, TikTok, Weibo, LinkedIn, tuba
[Development]
git, git-remote-http, git-remote-https, git-lfs, gh, glab, hg, svn, ssh, sshd, scp, sftp, mosh, mosh-client, mosh-server
autossh, rsync, Xcode, xcodebuild, swift-package, simulator, Code, Visual Studio Code, code-oss, VSCodium, codium, Cursor, Zed
zed-editor, Windsurf, Sublime Text, IntelliJ IDEA, idea, PyCharm, WebStorm, GoLand, CLion, PhpStorm, RubyMine, Rider, DataGrip
Android Studio, studio, Fleet, JetBrains Toolbox, Docker, Docker Desktop, dockerd, containerd, com.docker.backend
com.docker.vpnkit, podman, buildkitd, colima, limactl, OrbStack, kubectl, k9s, kubelet, kube-apiserver, kube-proxy, k3s
minikube, helm, terraform, tofu, ansible, ansible-playbook, vagrant, packer, npm, npx, pnpm, yarn, bun, deno, pip, pip3, pipx
uv, poetry, conda, mamba, cargo, rustup, go, gopls, gem, bundle, composer, maven, mvn, gradle, nuget, dotnet, pod, Postman
Insomnia, psql, postgres, mysql, mysqld, mariadbd, mongod, mongosh, redis-server, redis-cli, sqlcmd, TablePlus, DBeaver
Sourcetree, GitKraken, Tower, Fork, GitHub Desktop, nvim, emacs, adb, lldb, gdb, Wireshark, tshark, tcpdump, etcd, ngrok
cloudflared, bazel, Figma, gitlab-runner, Runner.Listener
[Messaging]
Messages, iMessage, imagent, IMTransferAgent, IMDPersistenceAgent, identityservicesd, imtransferservices, WhatsApp
WhatsApp Desktop, Telegram, Telegram Desktop, telegram-desktop, Telegram Lite, Signal, signal-desktop, Slack, Discord
DiscordCanary, Vesktop, WebCord, Element, element-desktop, Fractal, LINE, Viber, WeChat, WeChatAppEx, QQ, DingTalk, Feishu, Lark
KakaoTalk, Zalo, Messenger, Caprine, Threema, Wire, Mattermost, Rocket.Chat, Zulip, Franz, Ferdium, Rambox, Beeper, irssi
weechat, hexchat, Textual, Adium, Pidgin, Keybase, kbfs, Session, Jami, icq, Nheko, Dino, profanity
[Mail]
Mail, com.apple.mail, Microsoft Outlook, Outlook, Thunderbird, thunderbird-bin, Spark, Spark Desktop, Airmail, Canary Mail
Mimestream, MailMate, Evolution, geary, kmail, akonadi_imap_resource, mutt, neomutt, aerc, mbsync, offlineimap, fetchmail
getmail, msmtp, sendmail, postfix, smtpd, smtp, dovecot, imap, imap-login, exim, exim4, rspamd, Proton Mail, Proton Mail Bridge
Postbox, Betterbird, foxmail
[Meetings]
zoom.us, zoom, ZoomOpener, caphost, aomhost, CptHost, FaceTime, avconferenced, Microsoft Teams, Microsoft Teams (work or school)
MSTeams, Teams, teams-for-linux, Skype, skypeforlinux, Webex, Cisco Webex Meetings, CiscoCollabHost, GoToMeeting, GoTo
RingCentral, BlueJeans, Jitsi Meet, Around, Loom, TeamViewer, teamviewerd, TeamViewer_Desktop, AnyDesk, RustDesk, parsecd
Screen Sharing, ARDAgent, screensharingd, Microsoft Remote Desktop, Windows App, xfreerdp, remmina, vncviewer, x11vnc, Xvnc
linphone, Zoiper, mumble, TeamSpeak, ts3client, TencentMeeting, wemeetapp, Tencent Meeting
[Gaming]
Steam, steamwebhelper, steam_osx, Steam Helper, Epic Games Launcher, EpicGamesLauncher, Battle.net, RiotClientServices
LeagueClient, League of Legends, Minecraft, minecraft-launcher, PrismLauncher, MultiMC, RobloxPlayer, Roblox, RobloxPlayerBeta
gamed, Game Center, Origin, EA app, EADesktop, UbisoftConnect, upc, GOG Galaxy, GalaxyClient, heroic, Heroic Games Launcher
lutris, wine64-preloader, dota2, csgo_osx64, csgo_linux64, cs2, GeForceNOW, GeForce NOW, moonlight, sunshine, World of Warcraft
WoW, Diablo IV, Overwatch, factorio, RetroArch, itch, Parsec
[News]
News, newsd, NetNewsWire, Reeder, Feedly, Apple News, newsboat, liferea, Akregator, Stocks, weatherd, Weather, gnome-weather
[Shopping]
Amazon, AliExpress, eBay, Taobao
[Finance]
Wallet, passd, Quicken, GnuCash, MoneyMoney, Banktivity, bitcoind, bitcoin-qt, Electrum, monerod, geth, Ledger Live, Exodus
xmrig, Trader Workstation
[Cloud and storage]
Dropbox, DropboxMacUpdate, OneDrive, OneDrive File Provider, Google Drive, GoogleDriveFS, Backup and Sync, Box, Box Sync
MEGAsync, pCloud Drive, Nextcloud, ownCloud, SynologyDrive, cloud-drive-ui, Syncthing, Resilio Sync, rslsync, bird, cloudd
cloudphotod, fileproviderd, nsurlstoraged, backupd, Time Machine, photolibraryd, photoanalysisd, iCloud, CloudKeychainProxy
bztransmit, Backblaze, arqagent, Arq, rclone, restic, borg, duplicati, duplicacy, kopia, s3cmd, aws, gsutil, gcloud, az, azcopy
Transmit, Cyberduck, FileZilla, ForkLift, Mountain Duck, lftp, transmission-daemon, transmission-gtk, transmission-qt
Transmission, qbittorrent, qbittorrent-nox, deluged, deluge, aria2c, uTorrent, BitTorrent, rtorrent, 1Password, Bitwarden
Dashlane, Notes, Evernote, Notion, Obsidian, Microsoft Word, Microsoft Excel, Microsoft PowerPoint, Microsoft OneNote
[Software updates]
softwareupdated, softwareupdate, SoftwareUpdateNotificationManager, suhelperd, mobileassetd
com.apple.MobileSoftwareUpdate.UpdateBrainService, App Store, appstored, appstoreagent, storedownloadd, storeassetd, installd
AssetCache, AssetCacheLocatorService, MicrosoftAutoUpdate, Microsoft AutoUpdate, Microsoft Update Assistant
GoogleSoftwareUpdateAgent, GoogleUpdater, ksfetch, Keystone, Autoupdate, Updater, AdobeARM, Adobe Desktop Service, ACCFinderSync
brew, brew.sh, nix, nix-daemon, mas, apt, apt-get, aptitude, http, https, unattended-upgrade, unattended-upgr, packagekitd, dnf
yum, microdnf, rpm-ostree, zypper, pacman, paru, yay, makepkg, apk, xbps-install, emerge, snapd, snap, snap-store, flatpak
flatpak-system-helper, gnome-software, plasma-discover, fwupd, fwupdmgr, update-manager, mintUpdate, topgrade, clamd, freshclam
Malwarebytes, falcond, BDLDaemon, wdavdaemon, XProtect, XprotectService
[Ads and trackers]
adprivacyd, analyticsd, triald, SubmitDiagInfo, ReportCrash, osanalyticshelper, apport, whoopsie, ubuntu-report
popularity-contest, com.apple.ap.adprivacyd
[AI]
ChatGPT, Claude, claude-code, Copilot, ollama, LM Studio, lmstudio, llama-server, aider, codex, gemini, Perplexity, Jan, GPT4All
whisper, assistantd, parsec-fbf, siriknowledged, siriactionsd, generativeexperiencesd, DeepL, Grammarly, Grammarly Desktop
comfyui, koboldcpp
[Web]
Safari, com.apple.WebKit.Networking, Safari Technology Preview, SafariLaunchAgent, Google Chrome, Google Chrome Helper, Chrome
google-chrome, Google Chrome Canary, Chromium, chromium-browse, chromium-browser, Firefox, firefox-bin, firefox-esr
Firefox Developer Edition, LibreWolf, Waterfox, Zen, Brave Browser, Brave, Microsoft Edge, msedge, Opera, Opera GX, Vivaldi
vivaldi-bin, Arc, Dia, Orion, DuckDuckGo, Yandex, yandex_browser, epiphany, falkon, konqueror, qutebrowser, curl, wget, wget2
lynx, w3m, links, elinks, ladybird, nginx, apache2, httpd, caddy, haproxy, traefik, squid, privoxy, lighttpd, envoy
[System and local network]
mDNSResponder, mDNSResponderHelper, trustd, timed, configd, apsd, locationd, rapportd, sharingd, bluetoothd
identityservicesd-helper, airportd, wifid, wifianalyticsd, symptomsd, networkserviceproxy, netbiosd, smbd, nmbd, nfsd, rpcbind
rpc.statd, rpc.mountd, cupsd, cups-browsed, avahi-daemon, systemd-resolved, systemd-resolve, systemd-networkd, systemd-network
systemd-timesyncd, systemd-timesyn, systemd, init, launchd, kernel_task, NetworkManager, nm-applet, wpa_supplicant, iwd
dhclient, dhcpcd, dhcpcd5, udhcpc, connmand, dnsmasq, unbound, named, pihole-FTL, stubby, dnscrypt-proxy, AdGuardHome, chronyd
ntpd, ntpdate, snmpd, lldpd, radvd, odhcpd, hostapd, frr, zebra, bgpd, akd, accountsd, cfprefsd, nehelper, nesessionmanager
ocspd, securityd, secd, findmydeviced, findmylocateagent, searchpartyd, homed, Home, HomeKit, remoted, remotepairingd, usbmuxd
CommCenter, mobileactivationd, ManagedClient, mdmclient, geod, routined, captiveagent, Captive Network Assistant, UserEventAgent
netmon-tui, ping, ping6, traceroute, mtr, dig, host, nslookup, whois, arp, arping, nmap, iperf3, iperf, snmpwalk, journald
rsyslogd, syslog-ng, geoclue, gdm, upowerd, ModemManager, miniupnpd, upnpd, Printer, AirScanLegacyDiscovery, ControlCenter
Finder, hass, homeassistant, zigbee2mqtt, mosquitto, esphome
[VPN]
WireGuard, wireguard-go, wg, wg-quick, boringtun, com.wireguard.macos.network-extension, OpenVPN, OpenVPN Connect, Tunnelblick
Viscosity, Tailscale, tailscaled, IPNExtension, zerotier-one, ZeroTier, nebula, netbird, charon, charon-systemd, racoon
strongswan, libreswan, pluto, nordvpnd, NordVPN, nordlynx, expressvpnd, ExpressVPN, Mullvad VPN, mullvad-daemon, ProtonVPN
Proton VPN, Surfshark, IVPN, ivpn-service, PIA, pia-daemon, Windscribe, CyberGhost, TunnelBear, warp-svc, warp-cli
Cloudflare WARP, openconnect, vpnagentd, Cisco AnyConnect, Cisco Secure Client, GlobalProtect, PanGPS, FortiClient, FortiTray
Zscaler, ZscalerTunnel, Tor, tor.real, Tor Browser, i2pd, obfs4proxy, snowflake-client, Lantern, Psiphon, Outline, shadowsocks
ss-local, sslocal, v2ray, xray, sing-box, clash, mihomo, ClashX, Surge, Shadowrocket, hysteria, trojan
Little Snitch Network Monitor, pppd, xl2tpd, sstpc, wstunnel
`;

/**
 * Applications, as inspect and `net/services.ts` name them, and IP protocols. ssh counts as Development, since it is work on another machine;
 * file sharing and printers belong to the local network. Those under `[Web]` carry anything and count last.
 */
export const APPLICATION_RULES = `
[Streaming]
rtsp, daap, spotify-connect, plex, roku, rtmp, airplay, chromecast
[Development]
ssh, git, svn, docker, docker-tls, swarm, etcd, etcd-peer, kube-api, kubelet, consul, nomad, vault, postgresql, mysql, mssql
mssql-browser, oracle, mongodb, redis, cassandra, couchdb, elasticsearch, elasticsearch-node, memcached, influxdb, kafka, amqp
amqps, rabbitmq, nats, zookeeper, grpc, epmd, perforce, solr, jupyter, vite, adb, gdb, delve, prometheus, otlp, otlp-http
jaeger, loki, zipkin, statsd, graphite, beats, fluentd, rsync, telnet, ceph, glusterfs
[Messaging]
xmpp, xmpp-server, irc, ircs, matrix
[Mail]
smtp, smtps, submission, imap, imaps, pop3, pop3s, lmtp, sieve
[Meetings]
stun, turn, turns, webrtc, rtp, rtcp, sip, sips, h323, cisco-sccp, teamviewer, anydesk, rdp, vnc
[Gaming]
steam, source-rcon, minecraft, bedrock
[News]
nntp, nntps
[Finance]
bitcoin
[Cloud and storage]
ftp, ftp-data, ftps, ftps-data, sftp, dropbox-lan, syncthing, syncthing-discovery, bittorrent, bittorrent-dht, transmission
[AI]
ollama
[System and local network]
dns, dot, doq, doh, mdns, llmnr, dhcp, dhcpv6, dhcp-failover, ntp, ssdp, upnp-event, ws-discovery, nat-pmp, nat-pmp-client
netbios-ns, netbios-dgm, netbios-ssn, slp, snmp, snmp-trap, syslog, tftp, whois, smb, afp, nfs, sunrpc, msrpc, iscsi, nbd, ldap
ldaps, kerberos, kerberos-adm, kpasswd, radius, radius-acct, tacacs, ident, printer, ipp, jetdirect, sane, homekit
airport-admin, sonos, mqtt, mqtts, coap, coaps, apns, wins, bgp, rip, ripng, ldp, bfd, hsrp, vxlan, vxlan-linux, geneve, netflow
sflow, ipfix, gtp-user, gtp-control, zabbix, zabbix-agent, winrm, winrm-tls, x11, finger, time, daytime, echo, discard, chargen
webmin, cpanel, arp, icmp, icmpv6, igmp, ospf, eigrp, pim, vrrp
[VPN]
wireguard, openvpn, isakmp, ipsec, ipsec-nat, l2tp, pptp, tailscale, zerotier, teredo, tor, tor-browser, tor-control, tor-socks
socks, gre, esp, ah, 6in4, ipip
[Web]
https, http, quic, https-alt, http-alt, websocket, gopher
`;
