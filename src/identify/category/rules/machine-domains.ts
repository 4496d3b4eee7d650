// Domains of unattended traffic by category, maintained by hand: the name of a service, then its suffixes. A suffix covers itself and all names
// below it, by whole labels; the longest wins. {a,b} expands to several; an indented line continues the one above.

/** Rules as text; `../rules.ts` parses them. */
export const MACHINE_DOMAINS = `
[Software updates]
Apple:
  {swscan,swdist,swcdn,swdownload,swquery,mesu,gdmf,gg,gnf-mdn,gnf-mr,gs,ig,skl,oscdn,osrecovery,appldnld,secure-appldnld,adcdownload,apps,suconfig}.apple.com
  updates-http.cdn-apple.com updates.cdn-apple.com updates.g.aaplimg.com osxapps.itunes.apple.com iosapps.itunes.apple.com
  bag.itunes.apple.com devimages-cdn.apple.com download.developer.apple.com
Windows, Office, Edge: windowsupdate.com update.microsoft.com windowsupdate.microsoft.com mp.microsoft.com
  download.microsoft.com officecdn.microsoft.com officecdnmac.microsoft.com officecdn.microsoft.com.edgesuite.net
  api.cdp.microsoft.com wdcp.microsoft.com wdcpalt.microsoft.com definitionupdates.microsoft.com packages.microsoft.com
Google: update.googleapis.com gvt1.com dl.google.com play.googleapis.com play-fe.googleapis.com play.google.com
  android.clients.google.com tools.google.com optimizationguide-pa.googleapis.com chromewebstore.google.com
  clients2.googleusercontent.com ota.googlezip.net
Browsers: aus5.mozilla.org download.mozilla.org download.cdn.mozilla.net addons.mozilla.org addons.cdn.mozilla.net
  ftp.mozilla.org archive.mozilla.org firefox.settings.services.mozilla.com content-signature-2.cdn.mozilla.net
  go-updater.brave.com componentupdater.brave.com update.vivaldi.com autoupdate.geo.opera.com
Homebrew, MacPorts, Nix, Flatpak, Snap: brew.sh macports.org nixos.org cachix.org flathub.org snapcraft.io snapcraftcontent.com
  guix.gnu.org
Debian, Ubuntu, their children: debian.org debian.net ubuntu.com ppa.launchpad.net launchpadcontent.net canonical.com
  linuxmint.com kali.org raspberrypi.org raspberrypi.com raspbian.org deb.nodesource.com apt.postgresql.org apt.llvm.org
Fedora, Red Hat, SUSE, Arch, others: fedoraproject.org redhat.com rpmfusion.org centos.org rockylinux.org almalinux.org
  opensuse.org suse.com archlinux.org archlinuxarm.org manjaro.org endeavouros.com gentoo.org alpinelinux.org voidlinux.org
  freebsd.org openbsd.org netbsd.org slackware.com fwupd.org elrepo.org
Mirrors: mirrors.kernel.org mirrors.tuna.tsinghua.edu.cn mirrors.ustc.edu.cn mirrors.aliyun.com mirrors.cloud.tencent.com
  mirror.yandex.ru ftp.halifax.rwth-aachen.de ftp.fau.de mirror.leaseweb.com mirrors.ocf.berkeley.edu mirrorservice.org
Vendors: ardownload.adobe.com ardownload2.adobe.com armmf.adobe.com agsupdate.adobe.com swupmf.adobe.com swupdl.adobe.com
  sparkle-project.org download.nvidia.com gfwsl.geforce.com downloads.dell.com dl.dell.com download.lenovo.com dsadata.intel.com
  updates.logitech.com updates.signal.org updates.discord.com dl.discordapp.net download.jetbrains.com
  update.code.visualstudio.com download.docker.com desktop.docker.com download.virtualbox.org fota.samsung.com samsungdm.com
  ota.xiaomi.com update.miui.com update.hicloud.com update-firmware.sonos.com
Security programs: avast.com avcdn.net avg.com kaspersky.com kaspersky-labs.com eset.com bitdefender.com bitdefender.net
  norton.com symantec.com symantecliveupdate.com mcafee.com malwarebytes.com mwbsys.com sophos.com sophosupd.com trendmicro.com
  crowdstrike.com cloudsink.net drweb.com avira.com clamav.net sentinelone.net

[Ads and trackers]
Google: doubleclick.net doubleclick.com googlesyndication.com googleadservices.com googletagmanager.com googletagservices.com
  google-analytics.com analytics.google.com adservice.google.com ads.google.com adsense.google.com admob.com app-measurement.com
  app-analytics-services.com crashlytics.com crashlyticsreports-pa.googleapis.com firebaselogging-pa.googleapis.com
  firebaselogging.googleapis.com adtrafficquality.google 2mdn.net invitemedia.com googleoptimize.com urchin.com
  play-log.googleapis.com fundingchoicesmessages.google.com
Meta, X, TikTok, LinkedIn, Pinterest, Snap, Reddit: {an,pixel}.facebook.com connect.facebook.net atdmt.com ads-twitter.com
  ads-api.twitter.com analytics.twitter.com ads.twitter.com analytics.tiktok.com ads.tiktok.com ads-sg.tiktok.com
  mon.byteoversea.com ads.linkedin.com snap.licdn.com ads.pinterest.com ct.pinterest.com trk.pinterest.com log.pinterest.com
  tr.snapchat.com ads.snapchat.com alb.reddit.com events.reddit.com pixel.quora.com
Microsoft: data.microsoft.com telemetry.microsoft.com watson.microsoft.com clarity.ms bat.bing.com ads.microsoft.com adnxs.com
  adnxs-simple.com xandr.com pipe.aria.microsoft.com applicationinsights.azure.com applicationinsights.io msads.net rad.msn.com
  telemetry.urs.microsoft.com nexus.officeapps.live.com nexusrules.officeapps.live.com vscode.telemetry.visualstudio.com
Apple:
  {xp,metrics,iadsdk,ads,advertising,api-adservices,weather-analytics-events,notes-analytics-events,securemetrics}.apple.com
  metrics.icloud.com metrics.mzstatic.com
Amazon, Yahoo: amazon-adsystem.com assoc-amazon.com fls-na.amazon.com fls-eu.amazon.com unagi.amazon.com unagi-na.amazon.com
  device-metrics-us.amazon.com device-metrics-us-2.amazon.com mads.amazon.com ads.yahoo.com analytics.yahoo.com geo.yahoo.com
  gemini.yahoo.com adtech.de flurry.com advertising.com yieldmo.com
Exchanges and auctions: criteo.com criteo.net pubmatic.com rubiconproject.com openx.net openx.com indexww.com casalemedia.com
  adsrvr.org bidswitch.net smartadserver.com sascdn.com teads.tv taboola.com taboolasyndication.com outbrain.com outbrainimg.com
  revcontent.com mgid.com sharethrough.com triplelift.com 3lift.com 33across.com sovrn.com lijit.com gumgum.com adform.net
  adform.com media.net contextweb.com yieldlab.net adition.com spotxchange.com springserve.com freewheel.tv fwmrm.net
  stickyadstv.com liveintent.com liadm.com id5-sync.com rlcdn.com liveramp.com tapad.com agkn.com crwdcntrl.net bluekai.com
  demdex.net everesttech.net adsymptotic.com mathtag.com turn.com simpli.fi quantserve.com scorecardresearch.com comscore.com
  imrworldwide.com moatads.com doubleverify.com adsafeprotected.com confiant-integrations.net zemanta.com
Measuring sites and apps: hotjar.com hotjar.io fullstory.com mouseflow.com crazyegg.com clicktale.net smartlook.com
  logrocket.com logrocket.io lr-ingest.io inspectlet.com luckyorange.com mixpanel.com amplitude.com segment.com segment.io
  heap.io heapanalytics.com posthog.com plausible.io matomo.cloud matomo.org statcounter.com chartbeat.com chartbeat.net
  parsely.com newrelic.com nr-data.net optimizely.com omtrdc.net 2o7.net adobedc.net adobedtm.com tealiumiq.com tiqcdn.com
  ensighten.com branch.io app.link bnc.lt adjust.com adjust.io appsflyer.com appsflyersdk.com kochava.com singular.net tenjin.io
  onesignal.com braze.com braze.eu appboy.com leanplum.com clevertap.com moengage.com webengage.com airship.com pushwoosh.com
  permutive.com permutive.app piano.io cxense.com snowplowanalytics.com statsig.com statsigapi.net rudderstack.com gainsight.com
  pendo.io walkme.com hubspot.com hs-analytics.net hs-scripts.com hsforms.com marketo.net mktoresp.com pardot.com bizible.com
  6sc.co demandbase.com zoominfo.com clearbit.com qualtrics.com medallia.com
Failures of programs, reported: sentry.io sentry-cdn.com bugsnag.com rollbar.com trackjs.com raygun.io raygun.com instabug.com
  hockeyapp.net appcenter.ms browser-intake-datadoghq.com browser-intake-datadoghq.eu datadoghq-browser-agent.com honeybadger.io
  airbrake.io telemetry.mozilla.org
In apps and games: applovin.com applvn.com unityads.unity3d.com ironsrc.com ironsrc.mobi supersonicads.com vungle.com liftoff.io
  chartboost.com inmobi.com mopub.com tapjoy.com adcolony.com fyber.com inner-active.mobi pangle.io pangleglobal.com byteglb.com
  mintegral.com rayjump.com digitalturbine.com startappservice.com smaato.net ogury.com verve.com pubnative.net moloco.com
  bigo.sg
Asking for consent: onetrust.com cookielaw.org cookiebot.com cookiepro.com trustarc.com consensu.org quantcast.com
  usercentrics.eu usercentrics.com didomi.io privacy-center.org sp-prod.net privacy-mgmt.com consentmanager.net iubenda.com
  sirdata.com
Russian: mc.yandex.{ru,com} an.yandex.ru yandexadexchange.net bs.yandex.ru awaps.yandex.net yabs.yandex.ru adfox.ru
  adfox.yandex.ru adriver.ru top-fwz1.mail.ru counter.yadro.ru ad.mail.ru ads.vk.com r.mradx.net target.my.com mytarget.ru
  tns-counter.ru appmetrica.yandex.net metrika.yandex.ru betweendigital.com buzzoola.com relap.io smi2.ru sape.ru hybrid.ai
  begun.ru
Chinese: {hm,cpro,pos,cbjs}.baidu.com baidustatic.com umeng.com umengcloud.com umsns.com cnzz.com gdt.qq.com pgdt.gtimg.cn
  e.qq.com l.qq.com beacon.qq.com oth.eve.mdt.qq.com bugly.qq.com mta.qq.com pangolin-sdk-toutiao.com pglstatp-toutiao.com
  ad.toutiao.com log.snssdk.com ad.xiaomi.com data.mistat.xiaomi.com tracking.miui.com tanx.com alimama.com mediav.com 51.la
  miaozhen.com admaster.com.cn talkingdata.com talkingdata.net sensorsdata.cn growingio.com irs01.com jpush.cn jiguang.cn
  getui.com igexin.com ads.oppomobile.com logservice.hicloud.com
Indian, Japanese, Korean: izooto.com affle.com i-mobile.co.jp microad.jp microad.net impact-ad.jp adingo.jp fout.jp
  treasuredata.com karte.io socdm.com adtdp.com a8.net valuecommerce.com wcs.naver.net wcs.naver.com ad.naver.com
  siape.veta.naver.com nelo.navercorp.com ad.daum.net mobon.net
Televisions: samsungads.com samsungacr.com acr0.samsungcloudsolution.com logs.roku.com ads.roku.com lgsmartad.com
  tvinteractive.tv alphonso.tv samba.tv smartclip.net

[System and local network]
Names of the local network: local localhost localdomain lan home internal intranet private fritz.box arpa test invalid
  routerlogin.net tplinkwifi.net speedport.ip router.asus.com
Time: ntp.org time.apple.com time.euro.apple.com time.asia.apple.com time.windows.com time.google.com time.cloudflare.com
  time.nist.gov ntp.ubuntu.com time.android.com ntp.aliyun.com ntp.se time.facebook.com
Resolvers: dns.google one.one.one.one cloudflare-dns.com quad9.net opendns.com umbrella.com nextdns.io adguard-dns.com
  adguard.com controld.com dns.sb doh.pub alidns.com dnspod.cn dot.pub dns.yandex.ru doh.dns.apple.com doh.apple.com
  cleanbrowsing.org root-servers.net gtld-servers.net
Is there a network: captive.apple.com captive.g.aaplimg.com netcts.cdn-apple.com msftconnecttest.com msftncsi.com
  connectivitycheck.gstatic.com connectivitycheck.android.com connectivity-check.ubuntu.com nmcheck.gnome.org
  network-test.debian.org detectportal.firefox.com connect.rom.miui.com connectivitycheck.platform.hicloud.com
  clients3.google.com neverssl.com ping.archlinux.org
Apple: gs-loc.apple.com gs-loc-cn.apple.com ls.apple.com push-apple.com.akadns.net
  {gsa,gsas,idmsa,albert,humb,configuration,ppq,deviceenrollment,deviceservices-external,mdmenrollment,iprofiles,tbsc,valid,experiments,lcdn-locator,lcdn-registration,suggest-relay,diagassets,cssubmissions,radarsubmissions,axm-app,weatherkit}.apple.com
  static.ips.apple.com init.itunes.apple.com {setup,feedbackws,findmy,fmip,fmfmobile,acsegateway}.icloud.com push.apple.com
Google, Microsoft, Mozilla, Huawei: mtalk.google.com {alt1,alt2,alt3,alt4,alt5,alt6,alt7,alt8}-mtalk.google.com
  fcm.googleapis.com firebaseinstallations.googleapis.com android.googleapis.com geomobileservices-pa.googleapis.com
  safebrowsing.googleapis.com notify.windows.com wns.windows.com activation.sls.microsoft.com licensing.mp.microsoft.com
  smartscreen.microsoft.com smartscreen-prod.microsoft.com checkappexec.microsoft.com inference.location.live.net
  dmd.metaservices.microsoft.com ctldl.windowsupdate.com push.services.mozilla.com location.services.mozilla.com
  shavar.services.mozilla.com push.hicloud.com
Certificates: ocsp.apple.com ocsp2.apple.com crl.apple.com digicert.com digicert.cn lencr.org letsencrypt.org pki.goog
  crl.microsoft.com msocsp.com oneocsp.microsoft.com sectigo.com comodoca.com usertrust.com globalsign.com globalsign.net
  entrust.net identrust.com ocsp.godaddy.com crl.godaddy.com amazontrust.com symcb.com symcd.com verisign.com starfieldtech.com
  swisssign.net telesec.de certum.pl trust-provider.com zerossl.com
Things of the house: meethue.com philips-hue.com sonos.com nest.com ring.com wyze.com tuya.com tuyaeu.com tuyaus.com
  tplinkcloud.com tplinknbu.com tp-link.com ui.com ubnt.com netatmo.com netatmo.net home-assistant.io nabucasa.com nabu.casa
  shelly.cloud ecobee.com ecovacs.com roborock.com io.mi.com smartthings.com tado.com avm.de myfritz.net synology.com
  synology.me quickconnect.to qnap.com myqnapcloud.com wdc.com duckdns.org no-ip.com dyndns.org hpeprint.com hpconnected.com
  epsonconnect.com brother.com

[VPN]
Services: nordvpn.com nordcdn.com expressvpn.com surfshark.com protonvpn.com protonvpn.ch mullvad.net ivpn.net
  privateinternetaccess.com cyberghostvpn.com hide.me windscribe.com tunnelbear.com vyprvpn.com ipvanish.com purevpn.com
  hotspotshield.com hidemyass.com airvpn.org perfect-privacy.com azirevpn.com ovpn.com atlasvpn.com urban-vpn.com psiphon.ca
  psiphon3.com lantern.io getlantern.org getoutline.org amnezia.org
Networks of one's own: tailscale.com tailscale.io ts.net zerotier.com wireguard.com openvpn.com openvpn.net netbird.io
  twingate.com cloudflareclient.com cloudflareaccess.com zscaler.com zscaler.net zscalertwo.net zscloud.net gpcloudservice.com
  prismaaccess.com netskope.com goskope.com perimeter81.com forticlient.com fortinet.com fortiguard.com pulsesecure.net
  appgate.com
Relays: {mask,mask-h2,mask-api}.icloud.com mask.apple-dns.net mask-t.apple-dns.net torproject.org onion i2p geti2p.net
`;
