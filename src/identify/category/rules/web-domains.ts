// Domains of the rest of the web by category, maintained by hand: the name of a service, then its suffixes. A suffix covers itself and all names
// below it, by whole labels; the longest wins. {a,b} expands to several; an indented line continues the one above.
// `[Web, shared]` lists domains that many services share: such a host says less than the app that contacts it.

/** Rules as text; `../rules.ts` parses them. */
export const WEB_DOMAINS = `
[Web]
Search: google.com bing.com duckduckgo.com duck.com baidu.com bdstatic.com bdimg.com yandex.{ru,com,net,by,kz,com.tr}
  yastatic.net ya.ru yahoo.com yahoo.co.jp yimg.com yimg.jp naver.com naver.net pstatic.net daum.net daumcdn.net ecosia.org
  startpage.com qwant.com kagi.com sogou.com so.com 360.cn seznam.net ask.com msn.com msn.cn s-msn.com coccoc.com aol.com
Reference and learning: wikipedia.org wikimedia.org wiktionary.org wikidata.org mediawiki.org wikihow.com fandom.com archive.org
  archive.is britannica.com dict.cc leo.org translate.googleapis.com openstreetmap.org maps.googleapis.com mapbox.com 2gis.ru
  goodreads.com imdb.com rottentomatoes.com arxiv.org doi.org sciencedirect.com researchgate.net springer.com nature.com
  coursera.org udemy.com edx.org khanacademy.org duolingo.com duolingo.cn quizlet.com
Fonts, scripts, riddles: fonts.googleapis.com gstatic.com gstatic.cn ajax.googleapis.com googleapis.cn typekit.net
  fontawesome.com cdnjs.cloudflare.com jquery.com bootstrapcdn.com polyfill.io recaptcha.net hcaptcha.com
  challenges.cloudflare.com
Publishing: wordpress.com wordpress.org wp.com w.org medium.com blogger.com blogspot.com ghost.io webflow.io webflow.com
  weebly.com typepad.com jimdo.com tilda.cc tilda.ws hatena.ne.jp fc2.com over-blog.com
Makers: apple.com cdn-apple.com microsoft.com live.com live.net microsoftonline.com msauth.net msftauth.net msocdn.com
  msauthimages.net aka.ms windows.com windows.net mozilla.org mozilla.com mozilla.net firefox.com brave.com opera.com
  vivaldi.com samsung.com xiaomi.com huawei.com hicloud.com ibm.com
Governments: gov.uk usa.gov irs.gov europa.eu bund.de gouv.fr gov.br gov.in gov.cn gosuslugi.ru
Signing in, own address, speed: auth0.com okta.com oktacdn.com duosecurity.com onelogin.com speedtest.net ookla.com
  ooklaserver.net ipify.org ifconfig.me icanhazip.com ipinfo.io ipapi.co

[Web, shared]
Clouds and delivery networks: amazonaws.com amazonaws.com.cn cloudfront.net awsglobalaccelerator.com elasticbeanstalk.com
  akamai.net akamaiedge.net akamaihd.net akamaized.net akamaitechnologies.com akadns.net akam.net edgekey.net edgesuite.net
  fastly.net fastlylb.net fastly-edge.com cloudflare.com cloudflare.net pages.dev workers.dev azureedge.net azurefd.net
  azurewebsites.net cloudapp.net cloudapp.azure.com trafficmanager.net msedge.net msecnd.net a-msedge.net llnwd.net llnw.net
  lldns.net edgecastcdn.net edgecastdns.net systemcdn.net stackpathcdn.com stackpathdns.com b-cdn.net bunny.net kxcdn.com
  keycdn.com cdn77.org cdn77.com cachefly.net gcdn.co gcore.com imperva.com incapdns.net sucuri.net netdna-cdn.com
  netdna-ssl.com hwcdn.net imgix.net cloudinary.com onrender.com herokuapp.com netlify.app vercel.app vercel-dns.com web.app
  firebaseapp.com firebaseio.com appspot.com run.app cloudfunctions.net cdngc.net
Google: 1e100.net googleusercontent.com googleapis.com gvt2.com gvt3.com goog
  google.{de,fr,it,es,nl,be,ch,at,pl,se,dk,no,fi,pt,ie,gr,cz,hu,ro,ru,ca,cl,cn,co.uk,co.jp,co.kr,co.in,co.id,co.th,co.za,co.nz,com.au,com.br,com.mx,com.ar,com.co,com.tr,com.ua,com.hk,com.tw,com.sg,com.vn,com.sa,com.eg,com.pk,com.ph,com.my}
Apple: aaplimg.com apple-dns.net apple-dns.cn
Amazon: a2z.com
Chinese: qq.com gtimg.com gtimg.cn qpic.cn tencent.com tencent-cloud.net qcloudcdn.com cdntip.com kunlunsl.com kunlunaq.com
  alikunlun.com wscdns.com wsdvs.com chinanetcenter.com chinacache.net ksyuncdn.com bdydns.com baidubce.com 126.net 127.net
  netease.com bytegoofy.com byteimg.com bytecdntp.com bytednsdoc.com
Russian: cdnvideo.ru ngenix.net ddos-guard.net qrator.net
`;
