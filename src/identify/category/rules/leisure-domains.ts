// Leisure domains by category, maintained by hand: the name of a service, then its suffixes. A suffix covers itself and all names below it, by
// whole labels; the longest wins. {a,b} expands to several; an indented line continues the one above.

/** Rules as text; `../rules.ts` parses them. */
export const LEISURE_DOMAINS = `
[Streaming]
Netflix: netflix.com netflix.net nflxvideo.net nflximg.com nflximg.net nflxext.com nflxso.net fast.com
YouTube: youtube.com youtu.be youtube-nocookie.com youtubekids.com googlevideo.com ytimg.com ggpht.com youtubei.googleapis.com
Spotify: spotify.com spotifycdn.com spotifycdn.net scdn.co pscdn.co
Apple Music, TV, Podcasts, Books: {music,tv,podcasts,books}.apple.com itunes.apple.com itunes.com mzstatic.com
Amazon Prime Video, Music, Audible: primevideo.com amazonvideo.com aiv-cdn.net aiv-delivery.net pv-cdn.net
  music.amazon.{com,de,co.uk,co.jp,fr,it,es,in} atv-ps.amazon.com atv-ext.amazon.com audible.{com,de,co.uk,fr,in}
Disney, Hulu, ESPN, Hotstar: disneyplus.com disney-plus.net dssott.com bamgrid.com disneystreaming.com hulu.com hulustream.com
  huluim.com espn.com espncdn.com hotstar.com jiohotstar.com hotstarext.com
HBO Max, Paramount, Peacock, Pluto: max.com hbomax.com hbo.com paramountplus.com pplusstatic.com cbsivideo.com pluto.tv
  plutotv.net peacocktv.com
Twitch, Kick: twitch.tv ttvnw.net jtvnw.net twitchcdn.net twitchsvc.net kick.com live-video.net
Vimeo, Dailymotion, other video: vimeo.com vimeocdn.com dailymotion.com dmcdn.net rumble.com odysee.com bitchute.com
  streamable.com wistia.com wistia.net brightcove.com brightcove.net jwplayer.com jwpcdn.com jwplatform.com
Music: deezer.com dzcdn.net tidal.com tidalhifi.com soundcloud.com sndcdn.com bandcamp.com bcbits.com pandora.com p-cdn.us
  qobuz.com last.fm mixcloud.com jiosaavn.com saavncdn.com gaana.com wynk.in napster.com anghami.com audiomack.com iheart.com
Radio and podcasts: tunein.com radio.garden radio.net radioparadise.com somafm.com streamtheworld.com libsyn.com
  simplecastaudio.com megaphone.fm buzzsprout.com acast.com overcast.fm pocketcasts.com podbean.com siriusxm.com
Plex, Jellyfin, Emby: plex.tv plex.direct jellyfin.org emby.media trakt.tv
Anime: crunchyroll.com vrv.co funimation.com hidive.com abema.tv abema.io
American television: sling.com fubo.tv philo.com roku.com tubitv.com tubi.io crackle.com starz.com showtime.com vudu.com
  dazn.com dazndn.com nfl.com mlb.com nba.com nhl.com directv.com xfinity.com
British television: iplayer.bbc.co.uk bbcmedia.co.uk live.bbc.co.uk itv.com itvx.com channel4.com channel5.com nowtv.com sky.com
  britbox.com
European television: arte.tv zdf.de ardmediathek.de ard.de joyn.de rtlplus.de rtlplus.com magenta.tv zattoo.com waipu.tv
  france.tv canalplus.com canal-plus.com molotov.tv tf1.fr 6play.fr m6.fr raiplay.it rai.it mediaset.it rtve.es atresplayer.com
  movistarplus.es npo.nl ziggogo.tv videoland.com viaplay.com svtplay.se svt.se tv4play.se nrk.no dr.dk yle.fi rtp.pt
  eurosport.com playsuisse.ch orf.at vrt.be player.pl tvp.pl
Chinese video and music: bilibili.com bilivideo.com bilivideo.cn hdslb.com biliapi.net biliapi.com acgvideo.com iqiyi.com
  iqiyipic.com qiyi.com iq.com youku.com ykimg.com tudou.com mgtv.com hitv.com v.qq.com video.qq.com y.qq.com qqmusic.qq.com
  music.163.com music.126.net kugou.com kuwo.cn douyu.com douyucdn.cn huya.com huyaimg.com ximalaya.com xmcdn.com le.com
  wetv.vip yy.com
Russian video and music: rutube.ru ivi.ru kinopoisk.ru okko.tv premier.one more.tv start.ru wink.ru smotrim.ru music.yandex.ru
  music.yandex.net kion.ru
Indian video: zee5.com sonyliv.com voot.com jiocinema.com mxplayer.in altbalaji.com erosnow.com aha.video sunnxt.com
Latin American video: globoplay.globo.com globoplay.com vix.com clarovideo.com telecine.com.br univision.com tvazteca.com
Japanese and Korean video and music: nicovideo.jp nimg.jp unext.jp tver.jp nhk.jp radiko.jp afreecatv.com sooplive.co.kr
  wavve.com tving.com watcha.com melon.com bugs.co.kr genie.co.kr chzzk.naver.com

[Social]
Facebook, Instagram, Threads: facebook.com facebook.net fbcdn.net fb.com fb.me fbsbx.com fb.watch instagram.com cdninstagram.com
  ig.me threads.net threads.com
X: twitter.com x.com twimg.com t.co
TikTok: tiktok.com tiktokcdn.com tiktokcdn-us.com tiktokcdn-eu.com tiktokv.com tiktokv.eu tiktokv.us tiktokw.eu tiktokw.us
  byteoversea.com ibytedtos.com ibyteimg.com musical.ly muscdn.com ttwstatic.com ttlivecdn.com
Reddit: reddit.com redd.it redditmedia.com redditstatic.com
LinkedIn: linkedin.com licdn.com lnkd.in
Pinterest, Tumblr, Snapchat: pinterest.{com,de,co.uk,fr,es,it} pinimg.com pin.it tumblr.com snapchat.com snapkit.com sc-cdn.net
  snap.com sc-static.net
Mastodon, Bluesky: mastodon.social mastodon.online mstdn.social mas.to fosstodon.org hachyderm.io infosec.exchange bsky.app
  bsky.social bsky.network lemmy.world pixelfed.social
Forums and pictures: quora.com quoracdn.net imgur.com flickr.com staticflickr.com 9gag.com 9cache.com deviantart.com
  deviantart.net giphy.com tenor.com livejournal.com disqus.com disquscdn.com gravatar.com nextdoor.com bereal.com meetup.com
  4chan.org 4cdn.org onlyfans.com patreon.com truthsocial.com
Dating: tinder.com gotinder.com bumble.com hinge.co okcupid.com badoo.com match.com grindr.com
Chinese networks: weibo.com weibo.cn sinaimg.cn weibocdn.com xiaohongshu.com xhscdn.com douyin.com douyinpic.com douyinvod.com
  douyinstatic.com douyincdn.com amemv.com snssdk.com bytedance.com zijieapi.com kuaishou.com kwimgs.com kwaicdn.com kwai.com
  zhihu.com zhimg.com douban.com doubanio.com tieba.baidu.com qzone.qq.com
Russian networks: vk.com vk.ru vk.me userapi.com vkuser.net vkuservideo.net vk-cdn.net vkvideo.ru ok.ru okcdn.ru mycdn.me
  dzen.ru pikabu.ru
Indian networks: sharechat.com mojapp.in kooapp.com
Korean and Japanese networks: band.us cafe.naver.com blog.naver.com pixiv.net pximg.net ameblo.jp note.com mixi.jp dcinside.com

[Gaming]
Steam: steampowered.com steamcommunity.com steamcontent.com steamstatic.com steamserver.net steamusercontent.com steamgames.com
  steam-chat.com steamcdn-a.akamaihd.net steampipe.akamaized.net steamdeck.com valvesoftware.com dota2.com counter-strike.net
Epic: epicgames.com epicgames.dev epicgamescdn.com unrealengine.com fortnite.com easyanticheat.net easy.ac eac-cdn.com
  rocketleague.com
Blizzard, Activision: battle.net blizzard.com battlenet.com.cn callofduty.com activision.com demonware.net
Xbox: xboxlive.com xbox.com xboxservices.com xboxab.com gamepass.com playfabapi.com playfab.com
PlayStation: playstation.com playstation.net sonyentertainmentnetwork.com psn.com
Nintendo: nintendo.com nintendo.net nintendo.co.jp nintendowifi.net
Riot: riotgames.com riotcdn.net leagueoflegends.com playvalorant.com pvp.net lolesports.com
EA, Ubisoft, Rockstar, others: ea.com origin.com ubisoft.com ubi.com ubisoftconnect.com rockstargames.com take2games.com
  bethesda.net 2k.com gog.com gog-statics.com gogcdn.net humblebundle.com itch.io itch.zone paradoxplaza.com cdprojektred.com
  warframe.com bungie.net wargaming.net worldoftanks.eu worldoftanks.com wgcdn.co warthunder.com gaijin.net gaijinent.com
  pathofexile.com runescape.com jagex.com eveonline.com finalfantasyxiv.com square-enix.com capcom.com sega.com embark.net
  escapefromtarkov.com
Minecraft, Roblox: minecraft.net mojang.com minecraftservices.com rbxcdn.com roblox.com rbx.com rbxtrk.com curseforge.com
  forgecdn.net modrinth.com
Games for phones: supercell.com supercell.net clashofclans.com brawlstars.com king.com mihoyo.com hoyoverse.com hoyolab.com
  yuanshen.com starrails.com pokemon.com pokemongolive.com nianticlabs.com zynga.com garena.com garenanow.com freefiremobile.com
  pubg.com pubgmobile.com krafton.com moonton.com igamecj.com netmarble.com nexon.com ncsoft.com plarium.com playrix.com
  gameloft.com gc.apple.com games.google.com
Unity, games in the cloud, boards: unity.com unity3d.com vivox.com geforcenow.com nvidiagrid.net boosteroid.com shadow.tech
  chess.com chesscomfiles.com lichess.org lichess1.org boardgamearena.com faceit.com overwolf.com
Chinese games: game.qq.com wegame.com.cn game.163.com nie.netease.com 4399.com 37.com taptap.cn taptap.com

[News]
American: nytimes.com nyt.com wsj.com wsj.net dowjones.com washingtonpost.com washpost.com cnn.com cnn.io foxnews.com
  fncstatic.com nbcnews.com cbsnews.com abcnews.go.com abcnews.com usatoday.com latimes.com chicagotribune.com apnews.com
  reuters.com reutersmedia.net bloomberg.com bwbx.io forbes.com fortune.com businessinsider.com cnbc.com axios.com politico.com
  politico.eu theatlantic.com newyorker.com time.com newsweek.com npr.org propublica.org vox.com theverge.com vox-cdn.com
British, Irish, Canadian, Australian: bbc.com bbc.co.uk bbci.co.uk theguardian.com guim.co.uk guardianapis.com telegraph.co.uk
  thetimes.co.uk thetimes.com independent.co.uk dailymail.co.uk thesun.co.uk mirror.co.uk ft.com economist.com metro.co.uk
  irishtimes.com rte.ie abc.net.au news.com.au smh.com.au theage.com.au cbc.ca theglobeandmail.com nzherald.co.nz stuff.co.nz
Technology, games: techcrunch.com wired.com arstechnica.com arstechnica.net engadget.com gizmodo.com cnet.com zdnet.com
  theregister.com tomshardware.com 9to5mac.com macrumors.com slashdot.org bleepingcomputer.com heise.de golem.de ign.com
  polygon.com kotaku.com pcgamer.com
German: spiegel.de zeit.de faz.net sueddeutsche.de welt.de bild.de focus.de stern.de tagesschau.de n-tv.de handelsblatt.com
  taz.de tagesspiegel.de rp-online.de derstandard.at krone.at nzz.ch 20min.ch blick.ch tagesanzeiger.ch
French, Italian, Spanish, Portuguese: lemonde.fr lefigaro.fr liberation.fr lequipe.fr leparisien.fr 20minutes.fr bfmtv.com
  ouest-france.fr corriere.it repubblica.it gazzetta.it ansa.it ilsole24ore.com lastampa.it elpais.com elmundo.es marca.com
  abc.es lavanguardia.com as.com 20minutos.es elconfidencial.com publico.pt expresso.pt observador.pt
Northern and eastern Europe: nu.nl nos.nl ad.nl telegraaf.nl volkskrant.nl nrc.nl hln.be standaard.be aftonbladet.se
  expressen.se dn.se svd.se vg.no dagbladet.no aftenposten.no politiken.dk bt.dk ekstrabladet.dk hs.fi is.fi iltalehti.fi
  gazeta.pl wyborcza.pl tvn24.pl novinky.cz idnes.cz aktualne.cz index.hu telex.hu hotnews.ro digi24.ro pravda.com.ua unian.net
  hurriyet.com.tr sozcu.com.tr milliyet.com.tr kathimerini.gr
Russian: lenta.ru ria.ru rbc.ru tass.ru kommersant.ru gazeta.ru kp.ru mk.ru rg.ru iz.ru meduza.io novayagazeta.ru vedomosti.ru
  fontanka.ru interfax.ru news.mail.ru
Chinese: sina.com.cn sina.cn sohu.com sohucs.com ifeng.com ifengimg.com toutiao.com toutiaoimg.com pstatp.com people.com.cn
  xinhuanet.com cctv.com cctvpic.com chinadaily.com.cn thepaper.cn caixin.com huanqiu.com news.qq.com inews.qq.com 163.com
  scmp.com
Indian: timesofindia.com indiatimes.com ndtv.com hindustantimes.com thehindu.com indianexpress.com indiatoday.in news18.com
  moneycontrol.com livemint.com aajtak.in bhaskar.com jagran.com amarujala.com dailyhunt.in inshorts.com
Brazilian, Latin American: globo.com uol.com.br folha.com.br estadao.com.br terra.com.br r7.com ig.com.br metropoles.com
  clarin.com lanacion.com.ar infobae.com eluniversal.com.mx milenio.com eltiempo.com emol.com elcomercio.pe
Asian, African, Arabic: yomiuri.co.jp asahi.com nikkei.com mainichi.jp nhk.or.jp news.yahoo.co.jp chosun.com joongang.co.kr
  donga.com yna.co.kr news.naver.com straitstimes.com channelnewsasia.com bangkokpost.com kompas.com detik.com tribunnews.com
  vnexpress.net tuoitre.vn rappler.com aljazeera.com aljazeera.net alarabiya.net ynet.co.il haaretz.com timesofisrael.com
  news24.com punchng.com dawn.com
Readers, weather, sport: news.google.com apple.news news.apple.com news-assets.apple.com news-events.apple.com feedly.com
  flipboard.com getpocket.com inoreader.com newsblur.com smartnews.com weather.com weatherbug.com accuweather.com windy.com
  wetteronline.de meteofrance.com cricbuzz.com espncricinfo.com hscicdn.com flashscore.com sofascore.com goal.com skysports.com

[Shopping]
Amazon: amazon.{com,de,co.uk,fr,it,es,nl,se,pl,com.tr,in,co.jp,ca,com.mx,com.br,com.au,sg,ae,sa,eg,com.be,cn} media-amazon.com
  ssl-images-amazon.com images-amazon.com amzn.to
eBay, Etsy: ebay.{com,de,co.uk,fr,it,es,com.au,ca,at,ch} ebaystatic.com ebayimg.com ebayrtm.com etsy.com etsystatic.com
Alibaba group: alibaba.com aliexpress.com aliexpress.ru aliexpress-media.com alicdn.com taobao.com tmall.com tbcdn.cn 1688.com
  mmstat.com cainiao.com lazada.{com,sg,com.my,com.ph,co.th,vn,co.id} daraz.pk goofish.com
Chinese shops: jd.com 360buyimg.com jd.hk pinduoduo.com pddpic.com yangkeduo.com temu.com kwcdn.com vip.com vipstatic.com
  suning.com dangdang.com shein.com sheincdn.com ltwebstatic.com meituan.com meituan.net dianping.com ele.me elemecdn.com
Russian shops: ozon.ru ozone.ru wildberries.ru wb.ru wbstatic.net wbbasket.ru avito.ru avito.st market.yandex.ru lamoda.ru
  dns-shop.ru citilink.ru megamarket.ru
Indian shops: flipkart.com flixcart.com myntra.com myntassets.com meesho.com ajio.com nykaa.com snapdeal.com bigbasket.com
  blinkit.com zeptonow.com swiggy.com zomato.com jiomart.com indiamart.com
Latin American, south-east Asian shops: mercadolivre.com.br mercadolibre.{com,com.ar,com.mx,com.co,cl} mlstatic.com
  magazineluiza.com.br magalu.com americanas.com.br casasbahia.com.br ifood.com.br olx.com.br
  shopee.{com,com.br,sg,co.id,co.th,vn,ph,com.my,tw} shopeemobile.com rappi.com falabella.com tokopedia.com
European shops: zalando.{de,com,fr,it,es,nl,pl,co.uk} ztat.net otto.de mediamarkt.de saturn.de idealo.de kleinanzeigen.de
  kaufland.de lidl.de aboutyou.de ikea.com decathlon.com decathlon.fr fnac.com cdiscount.com leboncoin.fr
  vinted.{com,fr,de,pl,co.uk} vinted.net bol.com coolblue.nl allegro.pl allegroimg.com allegrostatic.com olx.pl olx.ua olx.ro
  rozetka.com.ua emag.ro asos.com asos-media.com argos.co.uk tesco.com sainsburys.co.uk johnlewis.com hm.com inditex.com
  zara.com zara.net trendyol.com hepsiburada.com n11.com heureka.cz alza.cz subito.it wallapop.com elcorteingles.es galaxus.ch
  digitec.ch
American shops: walmart.com walmartimages.com target.com bestbuy.com bbystatic.com costco.com homedepot.com lowes.com
  wayfair.com kroger.com macys.com nordstrom.com gap.com nike.com adidas.com newegg.com neweggimages.com bhphotovideo.com
  chewy.com instacart.com doordash.com cdn4dd.com ubereats.com grubhub.com craigslist.org offerup.com wish.com stockx.com
  sephora.com store.apple.com store.google.com
Japanese and Korean shops: rakuten.co.jp rakuten.com r10s.jp mercari.com mercdn.net shopping.yahoo.co.jp auctions.yahoo.co.jp
  zozo.jp yodobashi.com kakaku.com coupang.com coupangcdn.com gmarket.co.kr 11st.co.kr shopping.naver.com smartstore.naver.com
Builders of shops: shopify.com shopifycdn.com shopifycdn.net shopifysvc.com myshopify.com bigcommerce.com ecwid.com
  squarespace.com squarespace-cdn.com wix.com wixstatic.com parastorage.com
Travel: booking.com bstatic.com airbnb.{com,de,fr,co.uk} muscache.com expedia.com hotels.com trip.com tripadvisor.com tacdn.com
  skyscanner.net kayak.com agoda.com agoda.net trivago.com uber.com ubercdn.com uber.net lyft.com grab.com bolt.eu ryanair.com
  easyjet.com lufthansa.com bahn.de sncf-connect.com thetrainline.com makemytrip.com irctc.co.in goibibo.com ctrip.com qunar.com
  12306.cn tutu.ru aviasales.ru blablacar.com flixbus.com zillow.com zillowstatic.com rightmove.co.uk immobilienscout24.de

[Finance]
Payments: paypal.com paypalobjects.com venmo.com stripe.com stripe.network stripecdn.com squareup.com square.com squarecdn.com
  cash.app klarna.com klarnacdn.net klarnaservices.com afterpay.com affirm.com adyen.com checkout.com worldpay.com wise.com
  transferwise.com revolut.com zellepay.com pay.google.com apple-pay-gateway.apple.com skrill.com payoneer.com
  braintreegateway.com braintree-api.com mollie.com amazonpay.com payments-amazon.com visa.com mastercard.com
  americanexpress.com aexp-static.com plaid.com
American banks and brokers: chase.com bankofamerica.com bac-assets.com wellsfargo.com citi.com capitalone.com usbank.com pnc.com
  discover.com ally.com schwab.com fidelity.com vanguard.com etrade.com robinhood.com interactivebrokers.com ibkr.com sofi.com
  intuit.com turbotax.com creditkarma.com hrblock.com experian.com equifax.com
European banks and brokers: hsbc.com hsbc.co.uk barclays.co.uk lloydsbank.com natwest.com santander.{com,co.uk,de}
  bancosantander.es monzo.com starlingbank.com deutsche-bank.de commerzbank.de sparkasse.de ing.{com,de,nl} dkb.de comdirect.de
  n26.com traderepublic.com bnpparibas.com bnpparibas.net credit-agricole.fr societegenerale.fr boursorama.com boursobank.com
  labanquepostale.fr unicredit.it intesasanpaolo.com bbva.com bbva.es caixabank.es abnamro.nl rabobank.nl kbc.be ubs.com
  postfinance.ch raiffeisen.ch nordea.com danskebank.dk swedbank.se seb.se pkobp.pl mbank.pl isbank.com.tr garantibbva.com.tr
  privatbank.ua monobank.ua bunq.com etoro.com degiro.nl flatex.de
Russian banks: sberbank.ru sber.ru tinkoff.ru tbank.ru vtb.ru alfabank.ru raiffeisen.ru gazprombank.ru nspk.ru yoomoney.ru
  qiwi.com moex.com
Chinese payments and banks: alipay.com alipayobjects.com antgroup.com tenpay.com pay.weixin.qq.com icbc.com.cn ccb.com
  abchina.com boc.cn bankcomm.com cmbchina.com unionpay.com 95516.com eastmoney.com dfcfw.com xueqiu.com futunn.com
Indian payments and banks: paytm.com paytm.in phonepe.com razorpay.com npci.org.in onlinesbi.sbi sbi.co.in hdfcbank.com
  icicibank.com axisbank.com kotak.com zerodha.com groww.in upstox.com cred.club angelone.in
Brazilian and Latin American banks: nubank.com.br itau.com.br bradesco.com.br bb.com.br caixa.gov.br santander.com.br
  bancointer.com.br picpay.com pagseguro.uol.com.br pagbank.com.br mercadopago.{com,com.br,com.ar,com.mx} stone.com.br
  c6bank.com.br b3.com.br banamex.com
Asian banks: dbs.com dbs.com.sg ocbc.com uob.com.sg smbc.co.jp mufg.jp rakuten-bank.co.jp rakuten-sec.co.jp sbisec.co.jp
  paypay.ne.jp kbstar.com shinhan.com kakaobank.com tossbank.com toss.im gcash.com ovo.id dana.id momo.vn
Quotes: tradingview.com finance.yahoo.com marketwatch.com investing.com seekingalpha.com morningstar.com nasdaq.com nyse.com
  xe.com stocks.apple.com
Cryptocurrencies: coinbase.com binance.{com,us,vision} bnbstatic.com kraken.com okx.com bybit.com kucoin.com crypto.com
  gemini.com bitstamp.net bitfinex.com blockchain.com blockchain.info metamask.io infura.io etherscan.io coingecko.com
  coinmarketcap.com ledger.com trezor.io uniswap.org opensea.io solana.com minexmr.com f2pool.com nicehash.com
`;
