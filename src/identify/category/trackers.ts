// Suffixes of advertisers and of those who measure, out of third-party-web 0.30.0 (MIT, Copyright (c) 2019 Patrick Hulce).
// Made by scripts/build-trackers.mjs; not edited by hand.

/** Suffixes between blanks; one that begins with `=` stands for that name alone. */
export const TRACKERS = `
0emn.com 0fmm.com 1dmp.io 1rx.io 200summit.com 206ads.com 247realmedia.com 254a.com 2adpro.com 2mdn.net 2o7.net 33across.com
360yield.com 3genlabs.net 3gl.net 3lift.com 4dex.io 4seeresults.com 55labs.com 77tracking.com 7eer.net 9xb.com
=a-cedexis.msedge.net =adfarm.mediaplex.com =ads.avct.cloud =ads.linkedin.com =adservice.google.be =adservice.google.ca
=adservice.google.ch =adservice.google.co.id =adservice.google.co.in =adservice.google.co.jp =adservice.google.co.kr
=adservice.google.co.nz =adservice.google.co.uk =adservice.google.com =adservice.google.com.au =adservice.google.com.br
=adservice.google.com.sg =adservice.google.com.ua =adservice.google.de =adservice.google.es =adservice.google.fr
=adservice.google.ie =adservice.google.nl =adservice.google.se =affino.com =ampcid.google.com =an.yandex.ru
=analytics.fairfax.com.au =analytics.google.com =analytics.twitter.com =api-dev.scale8.com =api.ceros.com =app-us1.com
=b92.yahoo.co.jp =cdn.scale8.com =cedexis-test01.insnw.net =cedexis.leasewebcdn.com =cedexisakamaitest.azureedge.net
=cedexispub.cdnetworks.net =coremetrics.com =cs600.wac.alphacdn.net =cs600.wpc.edgecastdns.net =d10lpsik1i8c69.cloudfront.net
=d1447tq2m68ekg.cloudfront.net =d16fk4ms6rqz1v.cloudfront.net =d191y0yd6d0jy4.cloudfront.net =d1eoo1tco6rr5e.cloudfront.net
=d1l6p2sc9645hc.cloudfront.net =d1m54pdnjzjnhe.cloudfront.net =d1m6l9dfulcyw7.cloudfront.net =d1n00d49gkbray.cloudfront.net
=d1q62gfb8siqnm.cloudfront.net =d1stxfv94hrhia.cloudfront.net =d1y9qtn9cuc3xw.cloudfront.net =d1z2jf7jlzjs58.cloudfront.net
=d22j4fzzszoii2.cloudfront.net =d22rutvoghj3db.cloudfront.net =d22xmn10vbouk4.cloudfront.net =d24n15hnbwhuhn.cloudfront.net
=d26b395fwzu5fz.cloudfront.net =d26opx5dl8t69i.cloudfront.net =d2blwevgjs7yom.cloudfront.net =d2e0sxz09bo7k2.cloudfront.net
=d2eeipcrcdle6.cloudfront.net =d2gfdmu30u15x7.cloudfront.net =d2hkbi3gan6yg6.cloudfront.net =d2hlpp31teaww3.cloudfront.net
=d2j3qa5nc37287.cloudfront.net =d2jjzw81hqbuqv.cloudfront.net =d2lv4zbk7v5f93.cloudfront.net =d2oh4tlt9mrke9.cloudfront.net
=d2r1yp2w7bby2u.cloudfront.net =d2tgfbvjf3q6hn.cloudfront.net =d2vig74li2resi.cloudfront.net =d2xxq4ijfwetlm.cloudfront.net
=d2zah9y47r7bi2.cloudfront.net =d30ke5tqu2tkyx.cloudfront.net =d31i2625d5nv27.cloudfront.net =d31j93rd8oukbv.cloudfront.net
=d31qbv1cthcecs.cloudfront.net =d31y97ze264gaa.cloudfront.net =d32hwlnfiv2gyn.cloudfront.net =d33wq5gej88ld6.cloudfront.net
=d38nbbai6u794i.cloudfront.net =d3alqb8vzo7fun.cloudfront.net =d3c3cq33003psk.cloudfront.net =d3cxv97fi8q177.cloudfront.net
=d3ezl4ajpp2zy8.cloudfront.net =d3hmp0045zy3cs.cloudfront.net =d3qxef4rp70elm.cloudfront.net =d3qxwzhswv93jk.cloudfront.net
=d3vbj265bmdenw.cloudfront.net =d5phz18u4wuww.cloudfront.net =d6tizftlrpuof.cloudfront.net =d81mfvml8p5ml.cloudfront.net
=d8rk54i4mohrb.cloudfront.net =d9hhrg4mnvzow.cloudfront.net =d9jmv9u00p0mv.cloudfront.net =data.coremetrics.com
=data.de.coremetrics.com =dcniko1cv0rz.cloudfront.net =dd6zx4ibq538k.cloudfront.net =dds6m601du5ji.cloudfront.net
=dev.microanalytics.io =dg1f2pfrgjxdq.cloudfront.net =djnf6e5yyirys.cloudfront.net =dkpklk99llpj0.cloudfront.net
=dn1i8v75r669j.cloudfront.net =dn3y71tq7jf07.cloudfront.net =dnn506yrbagrg.cloudfront.net =doug1izaerwt3.cloudfront.net
=dsyszv14g9ymi.cloudfront.net =du8783wkf05yr.cloudfront.net =dwmvwp56lzq5t.cloudfront.net =dyjnzf8evxrp2.cloudfront.net
=getrockerbox.com =global2.cmdolb.com =hbrt.adobe.com =hm.baidu.com =hmcdn.baidu.com =id5-sync.com =img-cedexis.mncdn.com
=iocdn.coremetrics.com =js-cdn.dynatrace.com =libs.coremetrics.com =libs.de.coremetrics.com =maxymiser.hs.llnwd.net
=mc.yandex.com =mc.yandex.ru =mediaplex.com =padmin.microanalytics.io =peermapcontent.affino.com =pixel.wp.com =polldaddy.com
=qmodal.azurewebsites.net =sstats.adobe.com =static.polldaddy.com =stats.wp.com =status.microanalytics.io =tag.rmp.rakuten.com
=tagmanager.coremetrics.com =targetemsecure.blob.core.windows.net =tmscdn.coremetrics.com =tmscdn.de.coremetrics.com
=ui.scale8.com =utt.impactcdn.com =www.googleoptimize.com =www.microanalytics.io =www.sc.pages01.net =www.sc.pages02.net
=www.sc.pages03.net =www.sc.pages04.net =www.sc.pages05.net =www.sc.pages06.net =www.sc.pages07.net =www.sc.pages08.net
=www.sc.pages09.net =www.sc.pagesa.net =www.scale8.com =yads.c.yimg.jp =zn3vgszfh.fastestcdn.net a3cloud.net a4.tl a8723.com
aamsitecertifier.com aaxads.com aaxdetect.com abaresearch.uk abmr.net abtasty.com acq.io active-agent.com acuityplatform.com
acxiom-online.com acxiomapac.com ad1x.com ad4m.at ad6media.fr adacado.com adadvisor.net adadyn.com adalyser.com adaos-ads.net
adap.tv adblade.com adbrn.com addvantagemedia.com adeasy.ru adentifi.com adestra.com adextent.com adforgeinc.com adform.net
adformdsp.net adgear.com adgenie.co.uk adgrx.com adhigh.net adingo.jp adinsight.com adition.com adizio.com adjug.com
adkernel.com adkontekst.pl adlightning.com adlooxtracking.com adlux.com admailtiser.com admarketplace.net admatic.com.tr
admedia.com admedo.com admeld.com admixer.net admized.com adnami.io adnext.fr adnium.com adnostic.co.uk adnxs.com adobedtm.com
adobetag.com adocean.pl adomik.com adotmob.com adrdgt.com adrecover.com adriver.ru adroll.com ads-creativesyndicator.com
ads-twitter.com ads.linkedin.com adsafeprotected.com adscale.de adschoom.com adscience.nl adsco.re adserver01.de adsiduous.com
adsnative.com adsniper.ru adsonar.com adspeed.net adspruce.com adsrvr.org adstheaa.com adswizz.com adsymptotic.com adtech.de
adtechjp.com adtechus.com adtpix.com adtrue.com adunity.com adventori.com adverline.com advertising.com advertserve.com
adviva.net adwise.bg adx1.com adxcore.com adxpose.com adyapper.com adyoulike.com adyoulike.net adzerk.net adziff.com adzip.co
aerserv.com affec.tv affectv.com affiliatly.com afy11.net agcdn.com agendamedia.co.uk agkn.com agoramedia.com aimatch.com
aimediagroup.com air.tv aira.net airpr.com akanoo.com akstat.io alephd.com alexametrics.com algovid.com altitude-arena.com
altitudeplatform.com altocloud.com amazon-adsystem.com amplitude.com ampxchange.com analytics-egain.com anametrix.com
ancoraplatform.com andbeyond.media angsrvr.com aniview.com answcdn.com answerscloud.com apester.com app-us1.com app.link
appboycdn.com appcues.com appier.net apptus.com aralego.com atdmt.com atemda.com atgsvcs.com ati-host.net aticdn.net
attentivemobile.com attn.tv attributionapp.com atwola.com audienceinsights.net audiencemanager.de audrte.com audtd.com augur.io
autopilothq.com avail.net avanser.com.au avis-verifies.com avmws.com avocet.io aweber.com awempire.com awin1.com axf8.net
ayads.co b2btechleadform.com backinstock.org bam-x.com bannerflow.com bannersnack.com barilliance.net basebanner.com basis.net
baw5tracker.com baynote.net bazaarvoice.com bd4travel.com beampulse.com behavioralengine.com behavioralmailing.com
bestofmedia.com bet365affiliates.com betterbannerscloud.com betweendigital.com bfmio.com bidr.io bidswitch.net bidtheatre.com
bizible.com bizibly.com bizinformation.org bizrate.com bkrtx.com blismedia.com blogsmithmedia.com bluecava.com bluecore.com
bluekai.com bluelithium.com bnmla.com bonzai.co boomtrain.com boomtrain.net boostable.com booxscale.com bownow.jp boxever.com
branch.io brand-display.com brand-server.com brandmetrics.com brandview.com brcdn.com brealtime.com bridgetrack.com brilig.com
browsiprod.com brsrvr.com brsvr.com brtstats.com bsd.net btncdn.com btrll.com btstatic.com bttrack.com btttag.com bunchbox.co
burstnet.com burt.io business-path-55.com buto.tv bux1le001.com buysellads.com buysellads.net byside.com bzgint.com c-col.com
c1exchange.com c3tag.com callrail.com campaigner.com campanja.com canddi.com cannedbanners.com canopylabs.com captifymedia.com
captivate.ai carbonads.com carbonads.net cardlytics.com casalemedia.com caspianmedia.com cavisson.com cdnplanet.com
cedexis-radar.net cedexis-test.com cedexis.com cedexis.net celebrus.com celtra.com central-core-7.com certona.net cetrk.com
cfjump.com chango.com channeladvisor.com chargeads.com chartbeat.com chartbeat.net checkm8.com checktestsite.com chitika.net
choicestream.com chtah.com circulate.com cj.com clearbit.com clearbitjs.com clearbitscripts.com clearbrain.com clerk.io
clickadu.com clickagy.com clickdensity.com clickdimensions.com clickfuse.com clickguardian.app clickguardian.co.uk clicktale.net
clicktracks.com cloud-iq.com cloudsponge.com clrstm.com cmbestsrv.com cmcore.com cmdolb.com co-buying.com codigo.se cogocast.net
collective-media.net colpirio.com commander1.com communicatorcorp.com communicatoremail.com company-target.com compete.com
comscore.com concert.io conductrics.com confirmit.com connatix.com connexity.net consumedmedia.com content-square.net content.ad
contentabc.com contentspread.net contentsquare.net contextweb.com converge-digital.com conversio.com conversionlogic.net
convertexperiments.com convertro.com cooladata.com copperegg.com coremetrics.eu coull.com counciladvertising.net cpx.to
cpxinteractive.com cqcounter.com crazyegg.com creafi-online-media.com creativecdn.com creativesyndicator.com criteo.com
criteo.net crowdignite.com crowdskout.com crowdtwist.com crsspxl.com crwdcntrl.net ctasnet.com ctctcdn.com ctnsnet.com
customer.io custora.com cxense.com cxpublic.com datadbs.com dc-storm.com dcoengine.com de17a.com decenthat.com
decibelinsight.net deepintent.com delineo.com deliverimp.com demandjump.com demdex.net deployads.com devatics.com devatics.io
developermedia.com deximedia.com dialogtech.com dianomi.com dianomioffers.co.uk digitalscirocco.net digitru.st direct-azr-78.com
distribeo.com districtm.io dl-rms.com dmtrk.com dmtry.com dntrax.com dntx.com domdex.com dotmailer-surveys.com dotmailer.com
dotmetrics.net dotomi.com doubleclick.net doublepimp.com doubleverify.com dpbolvw.net dpclk.com dpmsrv.com drtvtracker.com
dsp.io dsply.com dstillery.com dt07.net dtmpub.com dtrck.net dtscout.com dvtps.com dwin1.com dyn-img.com dynapis.com
dynapis.info dyntrk.com e-shots.eu e-webtrack.net easy-ads.com easypolls.net ebdr3.com ebiquitymedia.com ebis.ne.jp ebz.io
econda-monitor.de ecorebates.com editiondigital.com eff1.net effectivemeasure.net effiliation.com efm.me egain.com
ekmpinpoint.co.uk ekmsecure.com ekomi.com ekomi.de elasticad.net elitechnology.com elogia.net email-attitude.com
emailcenteruk.com emailretargeting.com emediate.dk emediate.eu emerse.com emetriq.de emjcd.com emlfiles.com emsecure.net
emv2.com emv3.com emxdgt.com enfusen.com ensighten.com eolcdn.com epoq.de eqads.com erne.co esearchvision.com ethn.io
etracker.com etracker.de everesttech.net evergage.com evgnet.com evidon.com evisitanalyst.com evyy.net exactag.com exe.bid
exelator.com exoclick.com explore-123.com exponea.com exponential.com extend.tv extole.com extole.io extreme-dm.com eyeota.net
eyeviewads.com eysys.com ezakus.net ezoic.net fallingfalcon.com fam-ad.com fanplayr.com fastapi.net fastclick.net
fastly-insights.com feedbackify.com feedmagnet.com feefo.com fetchback.com fidelity-media.com fiftyt.com fimserve.com
finsburymedia.com firstimpression.io fits.me fivetran.com flashtalking.com flite.com flix360.com flixcar.com flixfacts.co.uk
flixfacts.com flixsyndication.net flockler.com flx1.com flxpxl.com foodity.com force24.co.uk forensics1000.com foresee.com
foreseeresults.com formalyzer.com forward3d.com fospha.com fout.jp freeskreen.com fresh8.co freshrelevance.com friendbuy.com
frienefit.com ftjcfx.com fuelx.com fullstory.com fyber.com gaug.es gdmdigital.com gemius.pl genesismedia.com genesismediaus.com
geni.us genieessp.jp genieesspv.jp genieventures.co.uk geoedge.be geoedge.com getambassador.com getclicky.com getdrip.com
getletterpress.com getresponse.com getscenario.com getvero.com gexperiments1.com gldsta-02-or.com glimr.io globalwebindex.net
globase.com gmads.net go-mpulse.net go2cloud.org google-analytics.com googleadservices.com googlesyndication.com
googletagmanager.com googletagservices.com goqubit.com gosquared.com govmetric.com granify.com grapeshot.co.uk gravity.com
green-bloc9.com gridsumdissector.com grvcdn.com gscontxt.net gssprt.jp gumgum.com gwallet.com h4k5.com heapanalytics.com
heatmap.it heias.com hexagon-analytics.com histats.com hitbox.com hits.io hitslink.com hitsprocessor.com hotjar.com hotjar.io
hotwords.com.br hoverr.media href.asia httptrack.com hubverifyandoptimize.com hubvisor.io hupso.com hybrid.ai hyfn.com
hyperinzerce.cz i-mobile.co.jp i-transactads.com iasds01.com ib-ibi.com ibillboard.com ic-live.com id-visitors.com id5-sync.com
idtargeting.com igodigital.com ijento.com iljmp.com im-apps.net imageg.net imiclk.com impact-ad.jp impactradius-event.com
impactradius-go.com impdesk.com impressiondesk.com imrg.org imrworldwide.com indexww.com inferencemobile.com
infinity-tracking.net infolinks.com infusionsoft.com inktad.com inmobi.com inmz.net inner-active.mobi innomdc.com innovid.com
inpagevideo.nl insightexpressai.com inskinad.com inskinmedia.com inspectlet.com instinctiveads.com integrate.com intellitxt.com
intenthq.com intentiq.com intentmedia.net interstateanalytics.com invodo.com inzynk.com inzynk.io ioam.de iponweb.net
ipredictive.com iprom.net ipv6test.net iqfp1.com isitetv.com ispot.tv ist-track.com iteratehq.com ivitrack.com ixiaa.com
janrain.com janrainbackplane.com jellyfish.net jisusaiche.biz jisusaiche.com jivox.com jsrdn.com juicyads.com jump-time.net
jumptap.com justpremium.com justuno.com jwpltx.com kaizenplatform.net kameleoon.com kameleoon.eu kameleoon.io kampyle.com kau.li
keen.io keyade.com keynote.com keywee.co kiosked.com kissmetrics.com klaviyo.com komoona.com korrelate.net krxd.net ladsp.com
lansrv040.com lead-123.com leadboxer.com leadcall.co.uk leadforensics.com leadintelligence.co.uk leadmanagerfx.com
legolas-media.com lenmit.com levexis.com lexity.com liadm.com liftdna.com ligadx.com lightboxcdn.com lightstep.com lijit.com
linkcious.com linkingmobile.com linksynergy.com listenloop.com litix.io littledata.io liveburst.com liveclicker.net liverail.com
lkqd.net lockerdome.com loggly.com loginradius.com lognormal.net logo-net.co.uk loop11.com loopme.biz loopme.com loopme.me
loyaltygateway.com loyaltylion.com loyaltylion.net loyaltypoint.pl lp4.io lrcdn.net lrcontent.com luckyorange.com
luckyorange.net lumatag.co.uk luminate.com lypn.net lytics.io m-decision.com m2.ai m6r.eu macromill.com magnetic.is mailmunch.co
mailplus.nl marchex.io marinsm.com markandmini.com marketgid.com marketizator.com marketo.com marketo.net mathads.com
matheranalytics.com mathtag.com matomo.cloud mavic852.com maxymiser.net mbww.com measured.com meclabs.com meclabsdata.com
media.net media6degrees.com mediabong.net mediaconductor.me mediade.sk mediaeverywhere.com mediaforge.com mediahawk.co.uk
mediaiqdigital.com mediaplex.com mediarithmics.com mediav.com mediavine.com mediavoice.com mediawallahscript.com medio.com
medtargetsystem.com meetrics.net megapopads.com meltdsp.com mentad.com mention-me.com mesp.com message-business.com
metaffiliation.com metanetwork.net metrigo.com mfadsrvr.com mgid.com miaozhen.com micpn.com microad.jp mightypop.ca mixpanel.com
mkt51.net mkt61.net mkt912.com mkt922.com mkt932.com mkt941.com mktoresp.com mlno6.com mmtro.com mnet-ad.net moatads.com
moatpixel.com mobivatebulksms.com mon-com-net.com monarchads.com monetate.net mookie1.com mopinion.com mouse3k.com mouseflow.com
mousestats.com movementventures.com moxielinks.com mplxtms.com mpstat.us mpulse.net mrpdata.net msads.net msgfocus.com
murdoog.com mwdev.co.uk mxcdn.net mxpnl.com mxptint.net mybuys.com mynativeplatform.com mythings.com mythingsmedia.net
myunidays.com myvisualiq.net nanigans.com narrative.io nativeads.com natoms.com navdmp.com navu.co naytev.com
nccgroup-webperf.com nedstat.com needle.com nend.net neodatagroup.com netmng.com netseer.com netshelter.net
newapproachmedia.co.uk nexac.com nexage.com nexeps.com nosto.com notifyapp.io nowinteract.com npttech.com ns-cdn.com nt.vc
ntoklo.com ntv.io nuggad.net numerointeractive.com nxtck.com nyltx.com nzaza.com offerpop.com ogigl.com ohmyad.co ojrq.net
ometria.com omniconvert.com omnitagjs.com omtrdc.net onaudience.com oneall.com onefeed.co.uk onetag-sys.com onscroll.com
onstate.co.uk ontame.io oodalab.com ooyala.com openx.net openxadexchange.com openxcdn.net ophan.co.uk opinionbar.com
opinionstage.com optilead.co.uk optimahub.com optimatic.com optimizely.com optimonk.com optimost.com optimove.net optmd.com
optorb.com order-security.com oriel.io otracking.com outbrain.com outbrainimg.com owneriq.net p161.net pagefair.com pagefair.net
pages01.net pages02.net pages03.net pages04.net pages05.net pagesense.io pagesuite-professional.co.uk pajmc.com pangolin.blue
parsely.com pbbl.co pcrl.co peak-ip-54.com peer39.net peerius.com peermap.com pendo.io peppercorp.com perfectaudience.com
perfectmarket.com performax.cz permutive.com persuasionapi.com petametrics.com picadmedia.com piclike.us picreel.com pictela.net
pingdom.net pipol.com piwikpro.com pixel.ad placed.com planning-inc.co.uk plausible.io playground.xyz pleenq.com plista.com
plrsrvcs.com pointroll.com polaracademy.me polarcdn-engine.com polarcdn-meraxes.com polarcdn-pentos.com polarcdn-static.com
polarcdn-terrax.com polarcdn.com polarmobile.ca polarmobile.com poll.fm polldaddy.com popads.net populisengage.com
postrelease.com poweredbyeden.com poweredbypolar.com powerlinks.com powerreviews.com ppjol.com ppjol.net predictiveintent.com
pretio.in prfct.co privacymanager.io privy.com privymktg.com pro-market.net profitshare.ro programattik.com
projectwatchtower.com prospecteye.com provenpixel.com proximic.com pswec.com psyma.com publicidad.tv publisherdesk.com
publishthis.com pubmatic.com pubmine.com pubnation.com pubperf.com pulseinsights.com pulsemgr.com purch.com pushcrew.com
pvnsolutions.com q1media.com q1mediahydraplatform.com qeryz.com qmerce.com qnsr.com qservz.com qsstats.com qualaroo.com
qualtrics.com quantcount.com quantserve.com quantummetric.com qubit.com qubitproducts.com questionmarket.com questionpro.com
quinstreet.com qutics.com qzzr.com r1-cdn.net raac33.net rampanel.com rbl.ms rcsadv.it rdcdn.com reachforce.com reactful.com
reactx.com realytics.net rebelmouse.com recobell.io recommend.pro redintelligence.net redirecting2.net redirectingat.com
reevoo.com refersion.com refinedads.com reflektion.com reflow.tv relestar.com remarketingpixel.com remintrex.com republer.com
res-x.com research-int.se researchgnow.com researchnow.com reson8.com responsetap.com retargeter.com retentionscience.com
reussissonsensemble.fr revee.com revenuemantra.com reviews.co.uk reviews.io revivve.com revjet.com revolvermaps.com revsci.net
rewardstyle.com rfihub.com rfihub.net rhythmxchange.com richmetrics.com richrelevance.com rkdms.com rlcdn.com rmtag.com
rockabox.co rondavu.com rovicorp.com rpxnow.com rtb-media.me rtbidder.net rtm.com rtrk.co.nz ru4.com rubiconproject.com
rubikloud.com ruleranalytics.com rummblelabs.com runadtag.com rundsp.com rutarget.ru ruxit.com rxthdr.com s2betrieb.de s3ae.com
s81c.com sail-horizon.com sail-personalize.com sail-track.com salecycle.com sam4m.com samplicio.us sascdn.com sasqos.com
saymedia.com scanscout.com scarabresearch.com scoota.co scorecardresearch.com scribblelive.com scupio.com searchanise.com
searchforce.net searchmarketing.com securedvisit.com securestudies.com seedtag.com seewhy.com segment.com segment.io segmint.net
sellpoints.com semantictec.com semasio.net servedbyopenx.com serverbid.com servicetick.com serving-sys.com servmetric.com
sesamestats.com sessioncam.com sharethrough.com shop2market.com shopimind.com sidereel.com simplereach.com simpli.fi
simplytechnology.net site24x7rum.com sitegainer.com sitemeter.com sitescout.com sitestat.com sitetagger.co.uk sjv.io
skimlinks.com skimresources.com skimresources.net skyglue.com slgnt.eu smaato.net smadex.com smartadserver.com smartclip.net
smarterclick.co.uk smarterhq.io smarterremarketer.net smartfocus.com smartlook.com smartstream.tv smartzer.com smartzonessva.com
smct.co snidigital.com sniperlog.ru snta0034.com socdm.com sociablelabs.com sociablelabs.net sociomantic.com sodahead.com
solocpm.com sonobi.com sophus3.com soundest.net soundestlink.com sparkflow.net specificclick.net specificmedia.com specless.tech
speedcurve.com speedshiftmedia.com spongecell.com sportradarserving.com spotx.tv spotxcdn.com spotxchange.com springserve.com
srtk.net sspicy.ru stackadapt.com stackpile.io stailamedia.com stamped.io statable.com statcounter.com statful.com
steelhousemedia.com steepto.com stellaservice.com stickyadstv.com stormcontainertag.com stormiq.com storygize.net streamrail.com
streamrail.net strikead.com stroeerdigitalmedia.de struq.com sub2tech.com successfultogether.co.uk summerhamster.com
sundaysky.com supert.ag survata.com surveygizmo.eu survicate.com svr-prc-01.com sweettooth.io switchadhub.com switchads.com
swoop.com synergetic.ag syntace-094.com t4ft.de taboola.com taboolasyndication.com tacoda.net tag4arm.com tagcommander.com
taggstar.com tailtarget.com talkable.com tapad.com tapsense.com tctm.co teads.tv tealiumiq.com technoratimedia.com tellapart.com
tellaparts.com terminus.services tghbn12.com the-ozone-project.com theadex.com thebrighttag.com thefilter.com
themessagecloud.com thirdpresence.com thrtle.com tidaltv.com time2perf.com tinypass.com tiqcdn.com tm-awx.com tmvtp.com
tns-counter.ru toutapp.com tp88trk.com tpmn.co.kr tqlkg.com tracelytics.com trackalyzer.com trackcmp.net trackdiscovery.net
trackedlink.net trackedweb.net trackjs.com tradedoubler.com tradelab.fr trafficfactory.biz traffichunt.com trafficjunky.net
trafficstars.com trail-web.com treasuredata.com tremorhub.com trialfire.com tribalfusion.com triggeredmessaging.com triggit.com
trovus.co.uk truconversion.com truedash.com truefitcorp.com truffle.bid truoptik.com trustx.org tryzens-analytics.com
tsyndicate.com ttsep.com tubemogul.com turn.com tvsquared.com tweetmeme.com twyn.com tynt.com u5e.com uadx.com ubembed.com
ubertags.com udmserve.net ui-portal.de ulogix.ru umbel.com unanimis.co.uk unbounce.com underdog.media undertone.com unica.com
unidays.world uniqodo.com univide.com unknowntray.com unrulymedia.com up-value.de upbuild.io upsellit.com urchin.com
usabilitytools.com usabilla.com usefathom.com useinsider.com useitbetter.com userneeds.dk userreplay.net userreport.com
userzoom.com v12group.com vdna-assets.com vdopia.com vdoserv.com veoxa.com vepxl1.net vertamedia.com veruta.com viafoura.co
viafoura.net videohub.tv videoplayerhub.com videostat.com vidfuture.com vidible.tv vidpulse.com viewwonder.com viglink.com
vindicosuite.com viralninjas.com virool.com visiblemeasures.com visscore.com visualdna.com visualrevenue.com
visualwebsiteoptimizer.com vizu.com vizury.com vizzit.se vmg.host vmmpxl.com vmweb.net vntsm.com voicefive.com voicestar.com
volvelle.tech vouchedfor.co.uk vwo.com wbtrk.net wcfbc.net wdfl.co web-01-gbl.com web-call-analytics.com web-cntr-07.com
webabacus.com webcontentassessor.com webdissector.com webelapp.com webforensics.co.uk weborama.com weborama.fr webspectator.com
websta.me webtrekk-asia.net webtrekk.net webtrends.com webtrendslive.com webtuna.com whitespacers.com widespace.com wingify.com
wishabi.com wishabi.net withcabin.com withcubed.com wmps.com woopra.com wowanalytics.co.uk wt-eu02.net wt-safetag.com wtp101.com
wurfl.io wurflcloud.com wywy.com wywyuserservice.com wzrkt.com xclusive.ly xiti.com xplosion.de xsellapp.com y-track.com
yadro.ru yashi.com yieldify.com yieldifylabs.com yieldlab.net yieldmanager.com yieldmo.com yieldoptimizer.com yieldpartners.com
yjtag.jp yldbt.com youplay.se yume.com yumenetworks.com zafu.com zaius.com zampda.net zanox.com zanox.ws zarget.com zdbb.net
zedo.com zemanta.com zenaps.com zenoviaexchange.com zeotap.com zoover.co.uk zoover.nl zorosrv.com zqtk.net
`;
