// Hosts as seen on the wire, labelled by hand.

/** Category, then hosts that belong there. */
export const LABELLED_HOSTS = `
Streaming: www.netflix.com ipv4-c012-fra001-ix.1.oca.nflxvideo.net www.youtube.com rr4---sn-4g5ednsl.googlevideo.com i.ytimg.com yt3.ggpht.com
  youtubei.googleapis.com open.spotify.com audio-ak-spotify-com.akamaized.net.spotifycdn.com i.scdn.co music.apple.com amp-api.music.apple.com
  aod.itunes.apple.com is1-ssl.mzstatic.com tv.apple.com music.amazon.de vod-secure.twitch.tv video-weaver.fra05.hls.ttvnw.net www.disneyplus.com
  upos-sz-mirrorcos.bilivideo.com v.qq.com rutube.ru music.yandex.ru www.hotstar.com globoplay.globo.com www.nicovideo.jp api.iplayer.bbc.co.uk
Social: www.facebook.com scontent-fra3-1.xx.fbcdn.net edge-chat.instagram.com x.com pbs.twimg.com t.co v16-webapp-prime.tiktok.com www.reddit.com
  i.redd.it www.linkedin.com media.licdn.com bsky.social mastodon.social weibo.com sns-img-qc.xhscdn.com vk.com sun9-1.userapi.com zhihu.com dzen.ru
Development: github.com api.github.com raw.githubusercontent.com ghcr.io gitlab.com registry.npmjs.org files.pythonhosted.org crates.io
  static.crates.io proxy.golang.org registry-1.docker.io production.cloudflare.docker.com stackoverflow.com developer.apple.com learn.microsoft.com
  marketplace.visualstudio.com plugins.jetbrains.com gitee.com registry.npmmirror.com habr.com
Messaging: web.whatsapp.com mmg.whatsapp.net api.telegram.org chat.signal.org slack.com wss-primary.slack.com edgeapi.slack.com gateway.discord.gg
  cdn.discordapp.com query.ess.apple.com chat.google.com szextshort.weixin.qq.com line.me web.viber.com edge-chat.facebook.com
Mail: mail.google.com smtp.gmail.com imap.gmail.com outlook.office365.com outlook.live.com p42-imap.mail.me.com imap.mail.me.com mail.proton.me
  imap.fastmail.com e.mail.ru mail.yandex.ru mail.qq.com imap.gmx.net mail.yahoo.com
Meetings: us04web.zoom.us zoomff.zoom.us teams.microsoft.com api.flightproxy.teams.microsoft.com meet.google.com stun.l.google.com api.webex.com
  facetime.apple.com meet.jit.si telemost.yandex.ru meeting.tencent.com
Gaming: store.steampowered.com cache1-fra1.steamcontent.com api.steampowered.com launcher-public-service-prod06.ol.epicgames.com xsts.auth.xboxlive.com
  eu.battle.net auth.riotgames.com www.playstation.com sessionserver.mojang.com c0.rbxcdn.com api.mihoyo.com gc.apple.com lichess.org
News: www.nytimes.com edition.cnn.com www.bbc.co.uk www.spiegel.de www.lemonde.fr elpais.com lenta.ru news.sina.com.cn timesofindia.indiatimes.com
  g1.globo.com news.google.com news-assets.apple.com www.asahi.com news.mail.ru
Shopping: www.amazon.de www.amazon.co.jp m.media-amazon.com www.ebay.com i.ebayimg.com www.aliexpress.com img.alicdn.com item.jd.com www.flipkart.com
  www.mercadolivre.com.br www.ozon.ru shop.myshopify.com www.booking.com store.apple.com
Finance: www.paypal.com api.stripe.com online.sberbank.ru www.alipay.com netbanking.hdfcbank.com app.nubank.com.br finance.yahoo.com api.coinbase.com
  pay.google.com pay.weixin.qq.com www.n26.com
Cloud and storage: gateway.icloud.com cvws.icloud-content.com p63-content.icloud.com drive.google.com docs.google.com storage.googleapis.com
  bucket.s3.eu-west-1.amazonaws.com s3.amazonaws.com contoso.sharepoint.com api.onedrive.com account.blob.core.windows.net www.dropbox.com
  content.dropboxapi.com api.backblazeb2.com bucket.oss-cn-hangzhou.aliyuncs.com pan.baidu.com disk.yandex.ru cloud.mail.ru photos.google.com
Software updates: swcdn.apple.com mesu.apple.com swscan.apple.com gdmf.apple.com updates.cdn-apple.com appldnld.apple.com osxapps.itunes.apple.com
  download.windowsupdate.com fe2cr.update.microsoft.com tlu.dl.delivery.mp.microsoft.com officecdn.microsoft.com update.googleapis.com
  edgedl.me.gvt1.com dl.google.com play.googleapis.com aus5.mozilla.org formulae.brew.sh deb.debian.org security.ubuntu.com
  mirrors.fedoraproject.org mirror.archlinux.org dl-cdn.alpinelinux.org flathub.org api.snapcraft.io ppa.launchpadcontent.net
Ads and trackers: securepubads.g.doubleclick.net pagead2.googlesyndication.com www.googletagmanager.com region1.google-analytics.com
  adservice.google.com adservice.google.de ib.adnxs.com bidder.criteo.com c.amazon-adsystem.com connect.facebook.net an.facebook.com bat.bing.com
  v10.events.data.microsoft.com xp.apple.com iadsdk.apple.com app-measurement.com o123.ingest.sentry.io static.hotjar.com mc.yandex.ru hm.baidu.com
  cdn.cookielaw.org px.ads.linkedin.com fls-na.amazon.com api.mixpanel.com t.appsflyer.com d10lpsik1i8c69.cloudfront.net logs.roku.com sb.scorecardresearch.com
AI: api.openai.com chatgpt.com api.anthropic.com claude.ai gemini.google.com generativelanguage.googleapis.com huggingface.co copilot.microsoft.com
  api.githubcopilot.com chat.deepseek.com api.moonshot.cn guzzoni.apple.com api2.cursor.sh giga.chat openrouter.ai
Web: www.google.com www.google.de www.bing.com duckduckgo.com www.baidu.com yandex.ru en.wikipedia.org fonts.gstatic.com fonts.googleapis.com
  ams15s41-in-f14.1e100.net www.apple.com www.microsoft.com login.microsoftonline.com d111111abcdef8.cloudfront.net e1234.a.akamaiedge.net
  ec2-3-120-1-2.eu-central-1.compute.amazonaws.com cdnjs.cloudflare.com www.gov.uk lh3.googleusercontent.com example.vercel.app
System and local network: gs-loc.apple.com captive.apple.com ocsp2.apple.com time.apple.com gsa.apple.com 1-courier.push.apple.com
  gspe35-ssl.ls.apple.com www.msftconnecttest.com dns.msftncsi.com time.windows.com ctldl.windowsupdate.com client.wns.windows.com mtalk.google.com
  alt3-mtalk.google.com fcm.googleapis.com connectivitycheck.gstatic.com dns.google chrome.cloudflare-dns.com 0.debian.pool.ntp.org
  time.cloudflare.com ocsp.digicert.com r3.o.lencr.org o.pki.goog printer.local nas.lan router.home.arpa localhost fritz.box
  1.0.168.192.in-addr.arpa detectportal.firefox.com
VPN: api.nordvpn.com www.expressvpn.com controlplane.tailscale.com host.tail1234.ts.net api.mullvad.net mask.icloud.com mask-h2.icloud.com
  engage.cloudflareclient.com gateway.zscaler.net check.torproject.org
Other: example.com notexample.org notnetflix.com evilfacebook.com xgithub.com apple.com.evil.example icloud.com.phish.example google.com.attacker.net
  netflix.com-login.example mycdn.example
`;
